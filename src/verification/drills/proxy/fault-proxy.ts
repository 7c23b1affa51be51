import type { Clock } from '../../../ports/clock.ts';
import type { Random } from '../../../ports/random.ts';

export interface FaultProxyOptions {
  /** Asked for every new connection, so the server may move. */
  readonly upstream: () => number;
  readonly clock: Clock;
  readonly random: Random;
}

/** A TCP proxy on loopback between one node and its broker, which can be made to misbehave. */
export interface FaultProxy {
  readonly port: number;
  close(): Promise<void>;
}
