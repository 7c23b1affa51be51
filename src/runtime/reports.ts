import type { Certainty, ErrorCode } from '../foundation/errors.ts';

/** The answer to a submitted op. The same opId always gets the same seq. */
export interface OpReceipt {
  readonly doc: string;
  readonly opId: string;
  readonly seq: number;
  readonly epoch: number;
  /** The node that ordered and stored it. */
  readonly nodeId: string;
  /** Nodes it passed through before its owner; 0 when the owner was asked directly. */
  readonly hops: number;
  /** True when the op had been applied before: this answer repeats the first one. */
  readonly duplicate: boolean;
}

export interface OpSubmission {
  readonly peer: string;
  readonly counter: number;
  readonly payload: Uint8Array;
}

/** Whom a request is for: the owner of a document, one node, or every live node. */
export type RequestTarget =
  | { readonly kind: 'doc'; readonly doc: string }
  | { readonly kind: 'node'; readonly nodeId: string }
  | { readonly kind: 'all' };

export interface RequestOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Who answered a request and, by name, who did not. */
export interface RequestReport {
  readonly replies: readonly ReplyReport[];
  readonly silent: readonly string[];
}

export interface ReplyReport {
  readonly nodeId: string;
  readonly ok: boolean;
  readonly payload: Uint8Array | null;
  readonly error: ReplyError | null;
  readonly latencyMs: number;
  readonly hops: number;
}

export interface ReplyError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly certainty: Certainty;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** One op as a follower sees it. */
export interface FollowedOp {
  readonly doc: string;
  readonly seq: number;
  readonly epoch: number;
  readonly peer: string;
  readonly counter: number;
  readonly at: number;
  readonly chain: string;
  readonly payload: Uint8Array;
  /** The node that published it; null when it was read from the log. */
  readonly nodeId: string | null;
}

export interface AwarenessChange {
  readonly doc: string;
  readonly peer: string;
  /** Grows with every change of this peer; the larger one wins. */
  readonly clock: number;
  /** Null when the peer is gone. */
  readonly state: Uint8Array | null;
}

export interface OwnerChange {
  readonly doc: string;
  readonly nodeId: string;
  readonly session: string;
  readonly epoch: number;
  readonly change: 'owned' | 'released';
}

/** What a follower of a document is told, in the order of the document. */
export interface Follower {
  /**
   * Consecutive ops, continuing exactly where the last call ended. While it catches up with the log,
   * a follower may return a promise: the next page is read when that has resolved.
   */
  ops(ops: readonly FollowedOp[]): void;
  awareness?(changes: readonly AwarenessChange[]): void;
  owner?(change: OwnerChange): void;
  /** The feed ended by itself: LOG_REWOUND, CLOSED. */
  failed(error: Error): void;
}

export interface Following {
  /** The seq delivered last. */
  seq(): number;
  close(): Promise<void>;
}

/** Where a follower starts: after a seq it has, or at the end of the log as it is now. */
export type FollowFrom = number | 'now';

/** State and position of a document, folded from its snapshot and log. */
export interface DocumentState {
  readonly doc: string;
  readonly seq: number;
  readonly epoch: number;
  /** JSON text with the `json` engine; null with `log`, which knows no state. */
  readonly state: string | null;
}
