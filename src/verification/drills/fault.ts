import type { GenericSchema, InferOutput } from 'valibot';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { DrillCluster, DrillNode } from './drill-cluster.ts';

/** Where a fault is injected: `node` is set exactly when the fault is done to a node. */
export interface FaultSite {
  readonly cluster: DrillCluster;
  readonly node: DrillNode | null;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * A way to break a cluster. Every fault is taken back, also when the drill itself is killed: what
 * it leaves in a process goes with the process, which the warden ends.
 */
export interface FaultKind<Schema extends GenericSchema = GenericSchema> {
  /** As scenarios write it, kebab-case. */
  readonly name: string;
  readonly summary: string;
  readonly on: 'node' | 'broker' | 'store';
  /**
   * Recovery counts from its start where another node must take over (a kill), and from its end
   * where nothing can work meanwhile (a broker that is down).
   */
  readonly recoveryFrom: 'start' | 'end';
  /** True when the node's process is not meant to live while it lasts. */
  readonly endsNode: boolean;
  /** Of an object; the values as scenarios write them, durations as `250ms`. */
  readonly parameters: Schema;
  /**
   * Why it cannot be done to this cluster with these parameters (without them: with its defaults);
   * null when it can.
   */
  unfit(cluster: DrillCluster, parameters?: InferOutput<Schema>): string | null;
  inject(site: FaultSite, parameters: InferOutput<Schema>): Promise<ActiveFault>;
}

export interface ActiveFault {
  /**
   * What shows that it took effect, in one sentence ("the process ended by SIGKILL", "17 frames
   * were held"); null when nothing does, which makes the drill inconclusive. Asked just before
   * `revert`.
   */
  evidence(): Promise<string | null>;
  /** Twice is once. Resolves when what was broken works again as far as the fault is concerned. */
  revert(): Promise<void>;
}
