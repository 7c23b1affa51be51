import { isBackplaneError } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { RespExchange, RespRefusal } from './resp-exchange.ts';

/** Who supervises a broker subscribes to this channel; it ends with the supervisor's connection. */
export const supervisorChannel = 'backplane-broker';

const connectTimeoutMs = 1_000;
const answerTimeoutMs = 1_000;

export interface BrokerFacts {
  /** `valkey 9.1.1`. */
  readonly server: string;
  readonly processId: number;
  /** Drawn by the engine at its start: tells this run from every other. */
  readonly runId: string;
  readonly appendsToFile: boolean;
  readonly clients: number;
  readonly supervisors: number;
}

/**
 * What is on the port. `absent`: nobody. `loading`: a broker that still reads its file. `silent`:
 * it took the connection and did not answer. `foreign`: it answered, and is no broker for us.
 */
export type BrokerProbe =
  | { readonly state: 'answering'; readonly facts: BrokerFacts }
  | { readonly state: 'absent' | 'loading' | 'silent' }
  | { readonly state: 'foreign'; readonly why: string };

/** Looks at the port with one connection; changes nothing there. */
export async function probeBroker(port: number, clock: Clock): Promise<BrokerProbe> {
  const exchange = await RespExchange.open(port, clock, connectTimeoutMs);
  if (exchange === null) return { state: 'absent' };
  try {
    const pong = await exchange.ask(answerTimeoutMs, 'PING');
    if (pong instanceof RespRefusal) {
      if (pong.kind === 'LOADING') return { state: 'loading' };
      // A broker whose disk is full refuses PING too, and is a broker all the same.
      if (pong.kind !== 'MISCONF') return { state: 'foreign', why: `it answered: ${pong.text}` };
    }
    const facts = await readBrokerFacts(exchange);
    if (facts === null) return { state: 'foreign', why: 'it does not describe itself' };
    return { state: 'answering', facts };
  } catch (error) {
    if (isBackplaneError(error, 'FRAME_INVALID')) {
      return { state: 'foreign', why: 'it does not speak the protocol of Redis' };
    }
    if (isBackplaneError(error, 'BACKPLANE_UNREACHABLE')) return { state: 'silent' };
    throw error;
  } finally {
    exchange.close();
  }
}

/** Null when the server does not answer INFO, or not in its usual form. */
export async function readBrokerFacts(exchange: RespExchange): Promise<BrokerFacts | null> {
  const info = await exchange.ask(answerTimeoutMs, 'INFO');
  if (typeof info !== 'string') return null;
  const supervisors = await countSupervisors(exchange);
  const lines = info.split('\r\n').map((line) => line.split(/:(.*)/s));
  const fields = new Map(lines.map(([key, value]) => [key, value ?? '']));
  const number = (key: string) => Number(fields.get(key) ?? Number.NaN);
  if (!Number.isFinite(number('process_id')) || !Number.isFinite(number('connected_clients'))) {
    return null;
  }
  const valkey = fields.get('valkey_version');
  return {
    server: valkey ? `valkey ${valkey}` : `redis ${fields.get('redis_version') ?? 'unknown'}`,
    processId: number('process_id'),
    runId: fields.get('run_id') ?? '',
    appendsToFile: fields.get('aof_enabled') === '1',
    clients: number('connected_clients'),
    supervisors,
  };
}

async function countSupervisors(exchange: RespExchange): Promise<number> {
  const answer = await exchange.ask(answerTimeoutMs, 'PUBSUB', 'NUMSUB', supervisorChannel);
  const count = Array.isArray(answer) ? Number(answer[1]) : Number.NaN;
  return Number.isFinite(count) ? count : 0;
}
