import { invariant } from '../../foundation/assert.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { limits } from '../../foundation/limits.ts';
import type { LogEnd, Snapshot, StoredOp } from '../../ports/store.ts';
import type { DocumentEngine } from './document-engine.ts';
import { type PeerSeen, PeersSeen } from './peers-seen.ts';

const emptyEnd: LogEnd = { seq: 0, chain: '' };

/** What ops up to `end` amount to: state, deduplication, and the last ops themselves. */
export class DocumentMemory {
  readonly #engine: DocumentEngine;
  readonly peers: PeersSeen;
  #state: string | null;
  /** Applied to the state only when somebody asks: most documents are written more than read. */
  #unfolded: Uint8Array[] = [];
  #tail: StoredOp[] = [];
  #end: LogEnd;

  private constructor(
    engine: DocumentEngine,
    from: { end: LogEnd; state: string | null; peers: PeersSeen },
  ) {
    this.#engine = engine;
    this.#end = from.end;
    this.#state = from.state;
    this.peers = from.peers;
  }

  /** Throws STORE_CORRUPT when the snapshot does not hold what it should. */
  static from(engine: DocumentEngine, doc: string, snapshot: Snapshot | null): DocumentMemory {
    if (!snapshot) {
      return new DocumentMemory(engine, { end: emptyEnd, state: null, peers: new PeersSeen() });
    }
    const { state, peers } = decodeSnapshot(doc, snapshot);
    return new DocumentMemory(engine, {
      end: { seq: snapshot.seq, chain: snapshot.chain },
      state,
      peers: new PeersSeen(peers),
    });
  }

  get end(): LogEnd {
    return this.#end;
  }

  apply(ops: readonly StoredOp[]): void {
    for (const op of ops) {
      invariant(op.seq === this.#end.seq + 1, 'ops are applied without a gap');
      this.#end = { seq: op.seq, chain: op.chain };
      this.peers.note(op.peer, { counter: op.counter, seq: op.seq, at: op.at });
      if (this.#engine.name !== 'log') this.#unfolded.push(op.payload);
      this.#tail.push(op);
    }
    if (this.#unfolded.length > limits.tailOpsKept) this.#fold();
    if (this.#tail.length > 2 * limits.tailOpsKept) {
      this.#tail = this.#tail.slice(-limits.tailOpsKept);
    }
  }

  state(): string | null {
    this.#fold();
    return this.#state;
  }

  /** The seq of a peer's op if it is among the last ones. */
  findInTail(peer: string, counter: number): number | null {
    const op = this.#tail.findLast((one) => one.peer === peer && one.counter === counter);
    return op?.seq ?? null;
  }

  toSnapshot(nowMs: number): Snapshot {
    const data = JSON.stringify({ v: 1, state: this.state(), peers: this.peers.toEntries(nowMs) });
    return { ...this.#end, data: Buffer.from(data) };
  }

  #fold(): void {
    if (this.#unfolded.length === 0) return;
    this.#state = this.#engine.fold(this.#state, this.#unfolded);
    this.#unfolded = [];
  }
}

function decodeSnapshot(
  doc: string,
  snapshot: Snapshot,
): { state: string | null; peers: [string, PeerSeen][] } {
  try {
    const data = JSON.parse(Buffer.from(snapshot.data).toString('utf8'));
    const sound =
      data.v === 1 &&
      (data.state === null || typeof data.state === 'string') &&
      Array.isArray(data.peers);
    if (sound) return data;
  } catch {
    // Falls through to the error that names the document.
  }
  throw new BackplaneError('STORE_CORRUPT', `the snapshot of "${doc}" cannot be read`);
}
