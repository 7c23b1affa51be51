import type { NodeCaches } from './cache/cache.ts';
import type { PresenceDoor } from './presence/presence-door.ts';
import type { Relay } from './relay/relay.ts';
import type {
  DocumentState,
  Follower,
  FollowFrom,
  Following,
  OpReceipt,
  OpSubmission,
  RequestOptions,
  RequestReport,
  RequestTarget,
} from './reports.ts';

/**
 * One node of a cluster: the whole runtime behind one door.
 *
 * Every promise of an answer ends by its deadline in a value or in a `BackplaneError` whose
 * `certainty` says whether it may have happened.
 */
export interface BackplaneNode {
  readonly nodeId: string;
  readonly caches: NodeCaches;
  /** Workspaces: one daemon and many browsers each. CLOSED unless the node is running. */
  readonly relay: Relay;
  start(): Promise<void>;
  /** Refuses new documents and hands every one to a live node; serves its peers until `stop`. */
  drain(): Promise<{ documents: number }>;
  /** Drains, then ends the session. `crash` leaves all as a kill would, for tests. */
  stop(how?: 'drain' | 'crash'): Promise<void>;
  /** The current session's id; null between two sessions. */
  session(): string | null;
  /** Sends an op to the document's owner, becoming the owner if there is none. */
  submit(doc: string, op: OpSubmission, options?: RequestOptions): Promise<OpReceipt>;
  request(
    target: RequestTarget,
    method: string,
    payload: Uint8Array,
    options?: RequestOptions,
  ): Promise<RequestReport>;
  /** Registers a method other nodes and the `rpc` command can call. */
  handle(method: string, handler: RequestHandler): void;
  /** Delivers ops in order, each once, from the log and live; L2 of the guarantees. */
  follow(doc: string, from: FollowFrom, follower: Follower): Promise<Following>;
  /** Folds snapshot and log; acquires nothing. Throws DOCUMENT_UNKNOWN. */
  readState(doc: string): Promise<DocumentState>;
  /** The latest state of a peer of this node; null when it goes. Coalesced and rate-limited. */
  setAwareness(doc: string, peer: string, state: Uint8Array | null): void;
  readiness(): Promise<Readiness>;
  metrics(): NodeMetrics;
  /** The gateway says how many peers are connected, for `inspect nodes`. */
  countConnections(connections: number): void;
  /** Becomes the owner; throws LEASE_HELD. */
  acquire(doc: string): Promise<{ readonly epoch: number; readonly session: string }>;
  release(doc: string, successor?: string | null): Promise<{ readonly epoch: number }>;
  /** The epoch under which this node owns the document now; null when it does not. */
  ownedEpoch(doc: string): number | null;
  /** Who is connected where. Throws CLOSED while the node does not run. */
  readonly presence: PresenceDoor;
  /** Called once, when every document was handed over and peers should go elsewhere. */
  onDraining(listen: () => void): void;
}

/** Runs one request; what it throws reaches the caller as HANDLER_FAILED, or as its own code. */
export type RequestHandler = (request: HandledRequest) => Promise<Uint8Array> | Uint8Array;

export interface HandledRequest {
  readonly method: string;
  readonly doc: string | null;
  readonly payload: Uint8Array;
  readonly signal: AbortSignal;
}

export interface Readiness {
  readonly ready: boolean;
  readonly checks: readonly ReadinessCheck[];
}

export interface ReadinessCheck {
  readonly name: 'broker' | 'subscriber' | 'store' | 'session' | 'cache';
  readonly ok: boolean;
  readonly detail: string;
  readonly tookMs: number | null;
}

/** Counters grow for ever; gauges are as of now. Names end in their unit, Prometheus's way. */
export interface NodeMetrics {
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, number>>;
}
