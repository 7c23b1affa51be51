import type { DocumentHead } from '../../ports/store.ts';
import type { NodeReport, NodeState } from '../inspect/list-nodes.ts';

/**
 * The cluster at one moment. Rates are over the time since the look before, and null at the first
 * one, or when nothing is known of them.
 */
export interface PulseReport {
  readonly at: string;
  /** Time since the look before; null at the first. */
  readonly overMs: number | null;
  readonly totals: PulseTotals;
  /** Live ones first, by name; those that stopped cleanly are left out. */
  readonly nodes: readonly NodePulseReport[];
  /** The documents used last; null when nobody wanted them. */
  readonly documents: DocumentsPulse | null;
  readonly cost: PulseCost;
}

export interface PulseTotals {
  readonly nodes: Readonly<Record<NodeState, number>>;
  /** Owned now. */
  readonly documents: number;
  readonly connections: number;
  readonly opsPerSecond: number | null;
  /** Between nodes, and from commands to nodes. */
  readonly requestsPerSecond: number | null;
  readonly awarenessPerSecond: number | null;
  /** Announcements of connections that came, went or changed; one may tell of many. */
  readonly presencePerSecond: number | null;
  /** How long peers waited for ops and calls, over the last ten seconds. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** One round trip to the broker. */
  readonly brokerMs: number | null;
}

export interface NodePulseReport extends NodeReport {
  /** False: it is dead, or did not say its pulse in time, twice; or is too old to know how. */
  readonly answered: boolean;
  readonly answerMs: number | null;
  readonly opsPerSecond: number | null;
  readonly requestsPerSecond: number | null;
  readonly awarenessPerSecond: number | null;
  readonly presencePerSecond: number | null;
  readonly p99Ms: number | null;
  /** Documents somebody there follows. */
  readonly followed: number | null;
  readonly pending: number | null;
  /** What went wrong there since the look before, by the name of its counter. */
  readonly troubles: Readonly<Record<string, number>>;
}

export interface DocumentsPulse {
  /** How many owned documents have a name that matches. */
  readonly matching: number;
  readonly rows: readonly DocumentPulse[];
}

export interface DocumentPulse {
  readonly doc: string;
  readonly nodeId: string;
  readonly epoch: DocumentHead['epoch'];
  readonly seq: DocumentHead['seq'];
  readonly opsPerSecond: number | null;
  /** Ops that wait for the store. */
  readonly waiting: number;
  readonly usedAgoMs: number;
}

/** What the look cost the broker. It depends on the number of nodes, never on that of documents. */
export interface PulseCost {
  readonly brokerCommands: number;
  readonly tookMs: number;
}

/** What remains of a look when it is only a point of a curve. */
export interface TrendPoint {
  readonly at: string;
  readonly totals: PulseTotals;
}
