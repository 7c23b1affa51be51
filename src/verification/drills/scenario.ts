import type { Budgets } from '../budgets.ts';

/** A rehearsed failure: a cluster, a load on it, and what is done to it, step by step. */
export interface Scenario {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** What a pass proves. */
  readonly proves: string;
  /** What users of comparable systems saw go wrong, with sources. */
  readonly elsewhere: string;
  readonly cluster: ClusterPlan;
  readonly workload: WorkloadPlan;
  readonly budgets: FigureBudgets;
  readonly steps: readonly Step[];
}

export interface ClusterPlan {
  readonly nodes: number;
  /** `any`: whichever the drill is run on; `pair`: a Redis with a replica. */
  readonly broker: 'any' | 'redis' | 'pair';
  /** `any`: the one that goes with the broker. */
  readonly store: 'any' | 'redis' | 'sqlite';
  /** Settings of `serve` by flag without its dashes, as `{"heartbeat": "1s"}`. */
  readonly serve: Readonly<Record<string, string>>;
}

/** Rates are those of all peers together, in an open loop: a slow answer does not slow the load. */
export interface WorkloadPlan {
  readonly documents: number;
  readonly peers: number;
  /** How many peers follow each document; only they send ops to it. */
  readonly followers: number;
  readonly opsPerSecond: number;
  readonly payloadBytes: number;
  readonly awarenessPerSecond: number;
  /** How many others come, show their awareness, and go again without ever coming back. */
  readonly guests?: number;
  readonly requestsPerSecond: number;
  readonly requestTimeoutMs: number;
  /** The node that owns every document at first: it is started alone. Null: whoever comes. */
  readonly ownedBy: string | null;
}

/** Limits on what is measured: those of the laws, and on the latency of acknowledged ops. */
export interface FigureBudgets extends Partial<Budgets> {
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

export type Step = RunStep | FaultStep | TogetherStep | RepeatStep | RandomStep;

/** The load runs, and nothing is done to it. */
export interface RunStep {
  readonly step: 'run';
  readonly forMs: number;
}

/** One fault, held for a time and taken back. */
export interface FaultStep {
  readonly step: 'fault';
  readonly fault: string;
  readonly on: FaultTarget;
  readonly forMs: number;
  /** Checked by the fault's own rules. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/**
 * `owner`: of the first document; `other`: a node that is not; `each`: every node in turn; `all`:
 * every node at once; `random`: any node; `broker`, `store`; else the name of a node.
 */
export type FaultTarget =
  | 'owner'
  | 'other'
  | 'each'
  | 'all'
  | 'random'
  | 'broker'
  | 'store'
  | (string & {});

/** Steps that run side by side. */
export interface TogetherStep {
  readonly step: 'together';
  readonly steps: readonly Step[];
}

export interface RepeatStep {
  readonly step: 'repeat';
  readonly times: number;
  readonly steps: readonly Step[];
}

/** Faults drawn from the seed, one after the other, until the time is over. */
export interface RandomStep {
  readonly step: 'random';
  readonly forMs: number;
  /** Names of faults; those that do not fit the cluster are left out. */
  readonly faults: readonly string[];
  /** The longest a fault is held. */
  readonly holdMsMax: number;
  /** The longest pause between two. */
  readonly pauseMsMax: number;
}
