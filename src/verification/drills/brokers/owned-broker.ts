import type { Clock } from '../../../ports/clock.ts';
import type { Random } from '../../../ports/random.ts';
import type { DrillBroker } from '../drill-cluster.ts';
import type { Warden } from '../nodes/warden.ts';

/** A broker that a drill started itself, and ends. */
export interface OwnedBroker extends DrillBroker {
  /** Ends every process of it, whatever state it is in, and removes its files. Twice is once. */
  close(): Promise<void>;
}

export interface BrokerTools {
  readonly clock: Clock;
  /** For ports only. */
  readonly random: Random;
  /** A folder of the drill's; the broker makes one of its own in it. */
  readonly folder: string;
  /** Told of every process as soon as it is known, so that it ends also when this one is killed. */
  readonly warden: Pick<Warden, 'watchProcess' | 'forgetProcess'>;
}

/** An installed server: `redis-server` or `valkey-server`. */
export interface ServerBinary {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}
