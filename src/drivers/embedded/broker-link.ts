import type { Clock } from '../../ports/clock.ts';
import { type BrokerFacts, readBrokerFacts, supervisorChannel } from './broker-probe.ts';
import { RespExchange } from './resp-exchange.ts';

const timeoutMs = 5_000;
/** One to ask, one to be seen by. */
const connectionsOfLink = 2;

/**
 * The supervisor's tie to its engine. As long as it lives, everybody can see on the engine itself
 * that somebody looks after it: no process ids, no lock files, nothing that a kill leaves behind.
 */
export class BrokerLink {
  readonly runId: string;
  /** Settles when the tie is cut; never rejects. */
  readonly closed: Promise<void>;
  private readonly asking: RespExchange;
  private readonly seen: RespExchange;

  private constructor(asking: RespExchange, seen: RespExchange, runId: string) {
    this.asking = asking;
    this.seen = seen;
    this.runId = runId;
    this.closed = Promise.race([asking.closed, seen.closed]);
  }

  /** Null when the engine does not answer. */
  static async open(port: number, clock: Clock): Promise<BrokerLink | null> {
    const asking = await RespExchange.open(port, clock, timeoutMs);
    const seen = await RespExchange.open(port, clock, timeoutMs);
    const facts = asking && seen ? await introduce(asking, seen) : null;
    if (asking && seen && facts) return new BrokerLink(asking, seen, facts.runId);
    asking?.close();
    seen?.close();
    return null;
  }

  /** Connections of others than supervisors; null when the engine does not answer. */
  async clients(): Promise<number | null> {
    const facts: BrokerFacts | null = await readBrokerFacts(this.asking).catch(() => null);
    return facts === null ? null : facts.clients - connectionsOfLink * facts.supervisors;
  }

  close(): void {
    this.asking.close();
    this.seen.close();
  }
}

async function introduce(asking: RespExchange, seen: RespExchange): Promise<BrokerFacts | null> {
  try {
    await seen.ask(timeoutMs, 'SUBSCRIBE', supervisorChannel);
    return await readBrokerFacts(asking);
  } catch {
    return null;
  }
}
