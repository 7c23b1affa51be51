import type { ClusterRecord } from '../../ports/cluster-record.ts';
import type { BrokerExamination } from '../../ports/examination.ts';
import type { ChannelRow } from '../../ports/inspector.ts';
import type { SessionRecord } from '../../ports/sessions.ts';
import type { DocumentHead } from '../../ports/store.ts';
import type { CacheRegionReport } from '../../runtime/cache/cache.ts';
import type { NodeSelfReport } from '../../runtime/health/self-report.ts';
import type { RelayReport } from '../inspect/list-relay.ts';
import type { PresenceTrouble } from './presence-trouble.ts';

/**
 * Everything a diagnosis is made from, gathered once and judged afterwards, here or elsewhere.
 * JSON-safe, bounded, and without secrets or payloads. Null: it could not be gathered.
 */
export interface Evidence {
  readonly kind: 'backplane-evidence';
  readonly schemaVersion: 1;
  readonly takenAt: string;
  readonly takenBy: string;
  readonly target: EvidenceTarget;
  /** Null for an engine without a server, as `local:`. */
  readonly broker: BrokerExamination | null;
  /** Why the cluster could not be looked at, though its broker answers; else null. */
  readonly refusal: Refusal | null;
  readonly cluster: ClusterRecord | null;
  readonly sessions: readonly SessionRecord[];
  readonly nodes: readonly NodeAnswer[];
  readonly channels: Sample<ChannelRow>;
  readonly leases: Sample<LeaseGroup>;
  readonly documents: Sample<DocumentHead>;
  /** Who is wrong about connections; `counted` are hubs. */
  readonly presence: Sample<PresenceTrouble>;
  /** Regions of nodes. */
  readonly caches: Sample<CacheRegionReport>;
  readonly workspaces: Sample<RelayReport>;
  readonly places: readonly ClientPlace[];
}

/** What the user asked to look at; safe to print. */
export interface EvidenceTarget {
  readonly url: string;
  readonly store: string | null;
  readonly prefix: string;
  /** Flags that lead another command to the same cluster; none of them holds a secret. */
  readonly flags: readonly string[];
}

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** A live session, and what its node answered when it was asked over the bus. */
export interface NodeAnswer {
  readonly session: string;
  readonly nodeId: string;
  readonly receivers: number;
  readonly latencyMs: number | null;
  /** The error code, when it did not answer. */
  readonly failure: string | null;
  readonly report: NodeSelfReport | null;
  /** The node's wall clock against ours; above 0 when it is ahead. */
  readonly clockAheadMs: number | null;
}

export interface Sample<Row> {
  readonly rows: readonly Row[];
  readonly counted: number;
  /** There are more than were counted. */
  readonly truncated: boolean;
}

/** The leases of one session. */
export interface LeaseGroup {
  readonly session: string;
  readonly leases: number;
  /** Some of the documents. */
  readonly docs: readonly string[];
  /** Null: nobody remembers the session. */
  readonly state: 'live' | 'dead' | null;
  /** Of a session that is not alive: looked at again after a while, and still there. */
  readonly settled: boolean;
}

/** Where clients connect, as the user named it. */
export interface ClientPlace {
  readonly address: string;
  readonly nodeId: string | null;
  readonly session: string | null;
  readonly error: string | null;
}
