import { asBackplaneError } from '../../foundation/errors.ts';
import { sleep } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import { BrokerFolder } from './broker-folder.ts';
import { readBrokerFacts } from './broker-probe.ts';
import { type EnsureOptions, ensureBroker } from './embedded-broker.ts';
import { orphanOf } from './orphan.ts';
import { RespExchange } from './resp-exchange.ts';

/** Spread over this, so that many nodes do not start a broker each, only for all but one to end. */
const jitterMsMin = 30;
const jitterMsMax = 150;
const retryMsMin = 500;
const retryMsMax = 5_000;
/** How soon an engine whose supervisor was killed gets a new one. */
const supervisionCheckMs = 5_000;
const timeoutMs = 5_000;

export interface KeepOptions extends Omit<EnsureOptions, 'signal'> {
  readonly random: Random;
  /** Called when a broker answers again after one was gone. */
  restored?(): void;
}

export interface BrokerKeeper {
  /** The broker stays; only the keeping ends. */
  stop(): Promise<void>;
}

/**
 * While it runs, a broker that went away is replaced, on the same port, by whichever keeper is
 * first. It notices by an idle connection, so watching costs nothing while all is well.
 */
export function keepBroker(options: KeepOptions): BrokerKeeper {
  const stopping = new AbortController();
  const running = keep(options, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function keep(options: KeepOptions, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const exchange = await RespExchange.open(options.port, options.clock, timeoutMs);
    if (exchange !== null) {
      const askedAt = options.clock.monotonicMs();
      await watch(exchange, options, signal);
      // A port that takes connections and drops them at once is no broker either.
      if (options.clock.monotonicMs() - askedAt > retryMsMin) failures = 0;
    }
    if (signal.aborted) return;
    failures = (await restore(options, signal)) ? 0 : failures + 1;
    const pauseMs = failures === 0 ? 0 : Math.min(retryMsMax, retryMsMin * 2 ** (failures - 1));
    await sleep(options.clock, pauseMs, signal);
  }
}

/** Until the connection is over, or nobody looks after the engine any more. */
async function watch(exchange: RespExchange, options: KeepOptions, signal: AbortSignal) {
  const over = new AbortController();
  const end = () => over.abort();
  signal.addEventListener('abort', end, { once: true });
  // It may have been stopped while it was connecting, and hears of it no more.
  if (signal.aborted) end();
  void exchange.closed.then(end);
  try {
    while (!over.signal.aborted) {
      await sleep(options.clock, supervisionCheckMs, over.signal);
      if (!over.signal.aborted && (await isOrphan(exchange, options))) return;
    }
  } catch {
    // No answer: the connection is over.
  } finally {
    signal.removeEventListener('abort', end);
    exchange.close();
  }
}

async function isOrphan(exchange: RespExchange, options: KeepOptions): Promise<boolean> {
  const facts = await readBrokerFacts(exchange);
  const card = await BrokerFolder.at(options.dataDir, options.port).readCard();
  return facts !== null && orphanOf({ state: 'answering', facts }, card) !== null;
}

async function restore(options: KeepOptions, signal: AbortSignal): Promise<boolean> {
  const { clock, logger, random, port } = options;
  await sleep(clock, jitterMsMin + random.fraction() * (jitterMsMax - jitterMsMin), signal);
  if (signal.aborted) return false;
  try {
    const { server, volatile, pid } = await ensureBroker({ ...options, signal });
    logger.event('warn', 'broker.restored', { port, server, volatile, pid });
    options.restored?.();
    return true;
  } catch (thrown) {
    if (signal.aborted) return false;
    const { code, message, remedy } = asBackplaneError(thrown);
    logger.event('error', 'broker.missing', { port, code, message, remedy });
    return false;
  }
}
