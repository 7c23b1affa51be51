import type { LogEnd, StoredOp } from '../../ports/store.ts';

/** Reading logs, however they are reached: a node reads its store, a visitor asks a node. */
export interface LogReader {
  /** Null when the document was never written. */
  end(doc: string): Promise<LogEnd | null>;
  read(doc: string, afterSeq: number): Promise<readonly StoredOp[]>;
}
