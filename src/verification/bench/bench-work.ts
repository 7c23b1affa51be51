import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Random } from '../../ports/random.ts';
import type { BackplaneNode } from '../../runtime/node.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import type { BenchTally } from './bench-tally.ts';

/** The cluster that is measured, as a visitor reaches it. */
export interface BenchGround {
  readonly engine: Engine;
  readonly visitor: Visitor;
  /** Where peers connect, one for each node. */
  readonly urls: readonly string[];
  readonly token: string | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** A node of the cluster in this process. */
  host(): Promise<BackplaneNode>;
}

export interface WorkPlan {
  readonly documents: number;
  readonly payloadBytes: number;
  /** Peers that follow each document, in `fanout` and `awareness`. */
  readonly followers: number;
  /** How many pieces of work are under way at once, at most. */
  readonly lanes: number;
  /** What the names of the documents begin with; no other run has it. */
  readonly prefix: string;
}

/** One kind of work, ready to be done. */
export interface BenchWork {
  /** What is counted: `calls`, `ops`, `deliveries`. */
  readonly unit: string;
  /** Whether the end of `one` is what is measured; else the work tells the tally what arrived. */
  readonly answers: boolean;
  one(index: number, meantMs: number): Promise<void>;
  /** Waits for what is still on its way, and tells the tally what never came. */
  settle?(): Promise<void>;
  /** More figures that only this work has. */
  extras?(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

export type OpenWork = (
  ground: BenchGround,
  plan: WorkPlan,
  tally: BenchTally,
) => Promise<BenchWork>;

export function documentNames({ prefix, documents }: WorkPlan): string[] {
  return Array.from({ length: documents }, (_, at) => `${prefix}-${at}`);
}
