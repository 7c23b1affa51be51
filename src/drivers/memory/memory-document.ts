import { invariant } from '../../foundation/assert.ts';
import type {
  Append,
  AppendAnswer,
  DocumentHead,
  LogEnd,
  Snapshot,
  StoredOp,
  StoreFenceAnswer,
} from '../../ports/store.ts';

/** One document of a store: its epoch, its writer, its log and its snapshot. */
export class MemoryDocument {
  readonly #doc: string;
  #epoch = 0;
  #session = '';
  readonly #ops: StoredOp[] = [];
  #snapshot: Snapshot | null = null;

  constructor(doc: string) {
    this.#doc = doc;
  }

  fence(session: string, expectedEpoch: number): StoreFenceAnswer {
    if (expectedEpoch !== this.#epoch) return { status: 'conflict', epoch: this.#epoch };
    this.#epoch += 1;
    this.#session = session;
    return { status: 'fenced', head: this.head(), snapshot: this.snapshot() };
  }

  append({ epoch, session, after, ops }: Append): AppendAnswer {
    if (epoch !== this.#epoch || session !== this.#session) {
      return { status: 'fenced', epoch: this.#epoch };
    }
    const end = this.#end();
    if (after.seq !== end.seq || after.chain !== end.chain) return { status: 'conflict', end };
    for (const [i, op] of ops.entries()) {
      invariant(op.seq === after.seq + 1 + i, 'the ops of an append are consecutive');
    }
    this.#ops.push(...ops);
    return { status: 'appended' };
  }

  head(): DocumentHead {
    const snapshotSeq = this.#snapshot?.seq ?? 0;
    const { seq, chain } = this.#end();
    return { doc: this.#doc, epoch: this.#epoch, session: this.#session, seq, chain, snapshotSeq };
  }

  *opsAfter(afterSeq: number): Iterable<StoredOp> {
    for (let at = Math.max(0, afterSeq); at < this.#ops.length; at++) yield this.#ops[at]!;
  }

  snapshot(): Snapshot | null {
    return this.#snapshot && { ...this.#snapshot, data: new Uint8Array(this.#snapshot.data) };
  }

  saveSnapshot(epoch: number, snapshot: Snapshot): boolean {
    if (epoch !== this.#epoch) return false;
    if (this.#snapshot && this.#snapshot.seq >= snapshot.seq) return false;
    this.#snapshot = snapshot;
    return true;
  }

  #end(): LogEnd {
    const last = this.#ops.at(-1);
    return last ? { seq: last.seq, chain: last.chain } : { seq: 0, chain: '' };
  }
}
