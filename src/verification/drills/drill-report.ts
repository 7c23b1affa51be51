import type { LawReport } from '../judge-history.ts';
import type { WorkloadPlan } from './scenario.ts';

/** What a drill found; `-o json` prints exactly this. */
export interface DrillReport {
  /** Also in the names of its documents. */
  readonly run: string;
  readonly scenario: string;
  readonly summary: string;
  readonly outcome: 'pass' | 'violated' | 'inconclusive';
  /** Why it is not a pass. */
  readonly reason: string | null;
  readonly seed: number;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly cluster: {
    readonly nodes: number;
    readonly broker: string;
    readonly store: string;
    /** The name of the cluster that existed; null when the drill started its own. */
    readonly attached: string | null;
  };
  readonly workload: WorkloadPlan;
  readonly figures: DrillFigures;
  readonly faults: readonly FaultReport[];
  readonly budgets: readonly BudgetReport[];
  readonly laws: readonly LawReport[];
  /** The file of the history. */
  readonly history: string;
  /** The command that does the same again. */
  readonly replay: string;
}

export interface DrillFigures {
  readonly ops: {
    readonly sent: number;
    readonly acknowledged: number;
    readonly failed: number;
    readonly unknown: number;
    readonly perSecond: number;
  };
  readonly deliveries: number;
  readonly requests: { readonly sent: number; readonly answered: number; readonly failed: number };
  /** From submitting an op to its acknowledgement; null when none was. */
  readonly latency: LatencyFigures | null;
  readonly takeovers: number;
}

export interface LatencyFigures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface FaultReport {
  readonly id: string;
  readonly fault: string;
  /** The node, or `broker` or `store`. */
  readonly target: string;
  /** Since the start of the history. */
  readonly startMs: number;
  readonly endMs: number | null;
  /** Null when nothing showed that it took effect. */
  readonly evidence: string | null;
  /** The longest that a document under load waited for its next acknowledgement; null when none did. */
  readonly recoveryMs: number | null;
}

export interface BudgetReport {
  readonly name: string;
  readonly limitMs: number;
  readonly actualMs: number | null;
  readonly kept: boolean;
}
