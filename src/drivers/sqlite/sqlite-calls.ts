import type { Certainty, ErrorCode } from '../../foundation/errors.ts';
import type { DocumentPage } from '../../ports/inspector.ts';
import type {
  Append,
  AppendAnswer,
  DocumentHead,
  Snapshot,
  StoreFenceAnswer,
} from '../../ports/store.ts';
import type { PackedOps } from './packed-ops.ts';

/** What can be asked of a thread that has the file open: what each call takes and gives. */
export interface SqliteCalls {
  /** Opens the file, makes it when it is missing, and answers whose it is. */
  openWriter: { takes: SqliteOpening; gives: { identity: string; created: boolean } };
  openReader: { takes: SqliteOpening; gives: null };
  fence: {
    takes: { doc: string; session: string; expectedEpoch: number };
    gives: StoreFenceAnswer;
  };
  append: { takes: PackedAppend; gives: AppendAnswer };
  saveSnapshot: { takes: { doc: string; epoch: number; snapshot: Snapshot }; gives: boolean };
  checkWritable: { takes: null; gives: null };
  head: { takes: { doc: string }; gives: DocumentHead | null };
  read: { takes: { doc: string; afterSeq: number; limit: number }; gives: PackedOps };
  readSnapshot: { takes: { doc: string }; gives: Snapshot | null };
  documents: { takes: { from: string | null; limit: number }; gives: DocumentPage };
  /** The last call: the thread ends once it is answered. */
  close: { takes: null; gives: null };
}

export interface SqliteOpening {
  readonly path: string;
  /** The identity of the store, should this opening be the one that makes it. */
  readonly freshIdentity: string;
  /** How long to wait for another program's lock. */
  readonly lockWaitMs: number;
}

export type PackedAppend = Pick<Append, 'doc' | 'epoch' | 'session' | 'after'> & {
  readonly ops: PackedOps;
};

export type SqliteKind = keyof SqliteCalls;
export type Takes<K extends SqliteKind> = SqliteCalls[K]['takes'];
export type Gives<K extends SqliteKind> = SqliteCalls[K]['gives'];

interface Request<K extends SqliteKind> {
  readonly id: number;
  readonly kind: K;
  readonly takes: Takes<K>;
}

/** One call on its way to the thread; a message holds those of one tick. */
export type SqliteRequest = { [K in SqliteKind]: Request<K> }[SqliteKind];

/** The calls that change the file: they share transactions. */
export type WriteKind = 'fence' | 'append' | 'saveSnapshot' | 'checkWritable';
export type WriteRequest = Extract<SqliteRequest, { kind: WriteKind }>;

/** One answer on its way back; a message holds those of one transaction. */
export type SqliteAnswer =
  | { readonly id: number; readonly gives: unknown }
  | { readonly id: number; readonly failure: SqliteFailure };

/** A `BackplaneError` as plain data: classes do not survive the way between threads. */
export interface SqliteFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly certainty: Certainty;
  readonly remedy: string;
  readonly facts: Readonly<Record<string, unknown>>;
}
