import { BackplaneError } from '../../foundation/errors.ts';
import { limits } from '../../foundation/limits.ts';
import type { InspectableStore } from '../../ports/engine.ts';
import type { DocumentPage } from '../../ports/inspector.ts';
import type { Random } from '../../ports/random.ts';
import {
  type Append,
  type AppendAnswer,
  type DocumentHead,
  type Snapshot,
  type StoredOp,
  type StoreFenceAnswer,
  volatileIdentity,
} from '../../ports/store.ts';
import { MemoryDocument } from './memory-document.ts';

/** The documents themselves, shared by every store opened on them, as nodes share a database. */
export class MemoryLogs {
  readonly identity: string;
  readonly #documents = new Map<string, MemoryDocument>();
  /** In the order of their first fence, so that a listing can go on from a position. */
  readonly #names: string[] = [];

  constructor(random: Random) {
    this.identity = `${volatileIdentity}${random.token(16)}`;
  }

  get(doc: string): MemoryDocument | null {
    return this.#documents.get(doc) ?? null;
  }

  add(doc: string, document: MemoryDocument): void {
    if (this.#documents.has(doc)) return;
    this.#documents.set(doc, document);
    this.#names.push(doc);
  }

  page(from: number, limit: number): DocumentPage {
    const names = this.#names.slice(from, from + limit);
    const end = from + names.length;
    const next = end < this.#names.length ? String(end) : null;
    return { documents: names.map((doc) => this.#documents.get(doc)!.head()), next };
  }
}

/**
 * Op logs as arrays in this process, gone with it. Everything handed in or out is copied, and every
 * call is one step that nothing can come between.
 */
export class MemoryStore implements InspectableStore {
  readonly volatile = true;
  readonly announces = false;
  readonly #logs: MemoryLogs;
  #closed = false;

  constructor(logs: MemoryLogs) {
    this.#logs = logs;
  }

  identity(): Promise<string> {
    return this.#call((logs) => logs.identity);
  }

  fence(doc: string, session: string, expectedEpoch: number): Promise<StoreFenceAnswer> {
    return this.#call((logs) => {
      const document = logs.get(doc) ?? new MemoryDocument(doc);
      const answer = document.fence(session, expectedEpoch);
      if (answer.status === 'fenced') logs.add(doc, document);
      return answer;
    });
  }

  append(append: Append): Promise<AppendAnswer> {
    const ops = append.ops.map(copyOp);
    return this.#call((logs) => {
      const document = logs.get(append.doc);
      return document?.append({ ...append, ops }) ?? { status: 'fenced', epoch: 0 };
    });
  }

  head(doc: string): Promise<DocumentHead | null> {
    return this.#call((logs) => logs.get(doc)?.head() ?? null);
  }

  read(doc: string, afterSeq: number, limit: number): Promise<StoredOp[]> {
    return this.#call((logs) => {
      const ops: StoredOp[] = [];
      let bytes = 0;
      for (const op of logs.get(doc)?.opsAfter(afterSeq) ?? []) {
        if (ops.length >= Math.min(limit, limits.readOpsMax)) break;
        if (bytes >= limits.appendBytesMax) break;
        ops.push(copyOp(op));
        bytes += op.payload.length;
      }
      return ops;
    });
  }

  readSnapshot(doc: string): Promise<Snapshot | null> {
    return this.#call((logs) => logs.get(doc)?.snapshot() ?? null);
  }

  saveSnapshot(doc: string, epoch: number, snapshot: Snapshot): Promise<boolean> {
    const copy = { ...snapshot, data: new Uint8Array(snapshot.data) };
    return this.#call((logs) => logs.get(doc)?.saveSnapshot(epoch, copy) ?? false);
  }

  checkWritable(): Promise<void> {
    return this.#call(() => {});
  }

  documents(from: string | null, limit: number): Promise<DocumentPage> {
    return this.#call((logs) => logs.page(from === null ? 0 : Number(from), limit));
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async #call<T>(step: (logs: MemoryLogs) => T): Promise<T> {
    if (this.#closed) throw new BackplaneError('CLOSED', 'the store in memory was closed');
    return step(this.#logs);
  }
}

function copyOp(op: StoredOp): StoredOp {
  // Not slice of a Buffer, which would share its bytes.
  return { ...op, payload: new Uint8Array(op.payload) };
}
