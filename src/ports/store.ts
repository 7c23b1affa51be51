/** How the identity of a store begins that nobody can open again. */
export const volatileIdentity = 'memory:';

/**
 * Where op logs and snapshots live: the judge of every write and the memory of every epoch.
 *
 * The danger: an answer that is lost. A failed call whose error is indefinite may have been
 * carried out; the owner then drops the document and loads it again, it never guesses.
 *
 * Laws, each a test in `test/conformance/store.ts`:
 *  1. `fence` raises the epoch by exactly one and makes the session its only writer, if the epoch
 *     is the expected one; else it changes nothing and answers the true epoch.
 *  2. `append` writes all ops or none, and only if epoch and session are the fenced ones and the
 *     log ends at `after` with the same chain.
 *  3. After a fence no append of an earlier epoch succeeds, ever.
 *  4. `seq` runs 1, 2, 3 … without a gap, and what was answered `appended` is read back byte for
 *     byte, also after the store was closed and opened again (unless it is `volatile`).
 *  5. `saveSnapshot` keeps the newest: an older one, or one of a fenced epoch, changes nothing.
 *  6. Reading changes nothing; a document never fenced has no head.
 *  7. Any document name up to the limit is kept apart from every other.
 *  8. Once closed, calls fail with CLOSED.
 *  9. `checkWritable` resolves only if a write would succeed now, and leaves no trace.
 */
export interface Store {
  /**
   * The same for two nodes exactly when they write to the same logs; nodes of one cluster must
   * agree on it. It outlives the broker. It begins with `volatileIdentity` when the documents are
   * gone with the process.
   */
  identity(): Promise<string>;
  /** True when everything is gone with the process or server: `serve` says so. */
  readonly volatile: boolean;
  /**
   * True when `append` publishes `announcement` itself, in the same round trip. Otherwise the
   * owner publishes after the append.
   */
  readonly announces: boolean;
  fence(doc: string, session: string, expectedEpoch: number): Promise<StoreFenceAnswer>;
  append(append: Append): Promise<AppendAnswer>;
  head(doc: string): Promise<DocumentHead | null>;
  /** Ops after `afterSeq` in order, at most `limit`, fewer when they are large. */
  read(doc: string, afterSeq: number, limit: number): Promise<StoredOp[]>;
  readSnapshot(doc: string): Promise<Snapshot | null>;
  saveSnapshot(doc: string, epoch: number, snapshot: Snapshot): Promise<boolean>;
  /** For readiness: fails with the code an append would fail with. */
  checkWritable(): Promise<void>;
  close(): Promise<void>;
}

/** The end of a log: `chain` is a hash over all ops up to `seq`, empty at seq 0. */
export interface LogEnd {
  readonly seq: number;
  readonly chain: string;
}

export interface DocumentHead extends LogEnd {
  readonly doc: string;
  readonly epoch: number;
  /** The session fenced in, the only one that may append. */
  readonly session: string;
  /** How far the newest snapshot reaches; 0 without one. */
  readonly snapshotSeq: number;
}

export interface StoredOp {
  readonly seq: number;
  readonly epoch: number;
  readonly peer: string;
  readonly counter: number;
  /** The owner's wall clock, ms since 1970: for people. */
  readonly at: number;
  /** The log's hash up to and with this op, 16 hex digits. */
  readonly chain: string;
  readonly payload: Uint8Array;
}

export interface Snapshot {
  readonly seq: number;
  readonly chain: string;
  /** State and deduplication memory, as the runtime encodes it. */
  readonly data: Uint8Array;
}

export type StoreFenceAnswer =
  | { readonly status: 'fenced'; readonly head: DocumentHead; readonly snapshot: Snapshot | null }
  | { readonly status: 'conflict'; readonly epoch: number };

export interface Append {
  readonly doc: string;
  readonly epoch: number;
  readonly session: string;
  readonly after: LogEnd;
  /** Consecutive from `after.seq + 1`; never empty. */
  readonly ops: readonly StoredOp[];
  readonly announcement: { readonly channel: string; readonly payload: Uint8Array } | null;
}

export type AppendAnswer =
  | { readonly status: 'appended' }
  | { readonly status: 'fenced'; readonly epoch: number }
  /** The log does not end where the owner believes; `end` is where it does. */
  | { readonly status: 'conflict'; readonly end: LogEnd };
