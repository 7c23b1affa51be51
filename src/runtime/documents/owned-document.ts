import { asBackplaneError, BackplaneError, inDoubt } from '../../foundation/errors.ts';
import { opIdOf } from '../../foundation/identifiers.ts';
import { limits } from '../../foundation/limits.ts';
import type { LogEnd, Store, StoredOp } from '../../ports/store.ts';
import type { OpSubmission } from '../reports.ts';
import { extendChain } from './chain.ts';
import type { DocumentEngine } from './document-engine.ts';
import type { DocumentMemory } from './document-memory.ts';

export interface OwnedDocumentParts {
  readonly store: Store;
  readonly engine: DocumentEngine;
  wallMs(): number;
  /** Asked at every op: throws when the session this document hangs on cannot be trusted. */
  requireSession(session: string): void;
  /** The announcement for a store that publishes by itself; else null. */
  announce(doc: string, ops: readonly StoredOp[]): { channel: string; payload: Uint8Array } | null;
  appended(document: OwnedDocument, ops: readonly StoredOp[]): void;
  /** This document is no longer ours to write; it must be dropped and, if wanted, taken again. */
  lost(document: OwnedDocument, error: BackplaneError): void;
}

interface WaitingOp {
  readonly op: OpSubmission;
  readonly opId: string;
  readonly promise: Promise<AppliedOp>;
  readonly resolve: (applied: AppliedOp) => void;
  readonly reject: (error: BackplaneError) => void;
}

export interface AppliedOp {
  readonly seq: number;
  readonly epoch: number;
  readonly duplicate: boolean;
}

/**
 * A document while this node owns it: puts ops in order, appends them in batches, and answers each
 * only after the store has it. Ops that arrive during an append form the next one (group commit).
 *
 * It never guesses: after an append whose outcome is unknown, or that was refused, it is lost.
 */
export class OwnedDocument {
  readonly doc: string;
  readonly session: string;
  readonly epoch: number;
  readonly memory: DocumentMemory;
  readonly #parts: OwnedDocumentParts;
  readonly #waiting = new Map<string, WaitingOp>();
  /** The last counter in the queue or in the append in flight, by peer. */
  readonly #queuedCounters = new Map<string, number>();
  #inFlight: Promise<void> | null = null;
  /** What the append in flight writes, or has written already: only its answer tells. */
  #appending: ReadonlySet<WaitingOp> = new Set();
  #closing = false;
  #ended: BackplaneError | null = null;

  constructor(
    parts: OwnedDocumentParts,
    from: { doc: string; session: string; epoch: number; memory: DocumentMemory },
  ) {
    this.#parts = parts;
    this.doc = from.doc;
    this.session = from.session;
    this.epoch = from.epoch;
    this.memory = from.memory;
  }

  async submit(op: OpSubmission): Promise<AppliedOp> {
    if (this.#ended) throw this.#ended;
    this.#parts.requireSession(this.session);
    const opId = opIdOf(op.peer, op.counter);
    const queued = this.#waiting.get(opId);
    if (queued) return { ...(await queued.promise), duplicate: true };
    const seen = this.memory.peers.get(op.peer)?.counter ?? 0;
    if (op.counter <= seen) {
      const seq = await this.#findSeq(op);
      return { seq, epoch: this.epoch, duplicate: true };
    }
    if (this.#closing) throw new BackplaneError('NOT_OWNER', `"${this.doc}" is being handed over`);
    const expected = (this.#queuedCounters.get(op.peer) ?? seen) + 1;
    if (op.counter !== expected) {
      if (op.counter > expected) await this.#requireCurrent();
      throw gap(this.doc, op, expected);
    }
    this.#parts.engine.check(op.payload);
    if (this.#waiting.size >= limits.opsWaitingMax) {
      throw new BackplaneError('OVERLOADED', `${this.#waiting.size} ops of "${this.doc}" wait`);
    }
    const waiting: WaitingOp = { op, opId, ...Promise.withResolvers<AppliedOp>() };
    this.#waiting.set(opId, waiting);
    this.#queuedCounters.set(op.peer, op.counter);
    this.#appendNext();
    return waiting.promise;
  }

  /** Takes nothing new and waits for what is under way. */
  async drain(): Promise<void> {
    this.#closing = true;
    while (this.#inFlight) await this.#inFlight;
  }

  /** Forgets everything at once; what waits fails. Twice is once. */
  end(error: BackplaneError): void {
    if (this.#ended) return;
    this.#ended = error;
    for (const waiting of this.#waiting.values()) {
      waiting.reject(this.#appending.has(waiting) ? inDoubt(error) : error);
    }
    this.#waiting.clear();
  }

  /** Ops that have no answer of the store yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  get isIdle(): boolean {
    return this.#inFlight === null && this.#waiting.size === 0;
  }

  #appendNext(): void {
    if (this.#inFlight || this.#ended || this.#waiting.size === 0) return;
    const batch = this.#nextBatch();
    this.#inFlight = this.#append(batch).finally(() => {
      this.#inFlight = null;
      this.#appendNext();
    });
  }

  #nextBatch(): WaitingOp[] {
    const batch: WaitingOp[] = [];
    let bytes = 0;
    for (const waiting of this.#waiting.values()) {
      bytes += waiting.op.payload.length;
      if (batch.length > 0 && bytes > limits.appendBytesMax) break;
      batch.push(waiting);
      if (batch.length === limits.appendOpsMax) break;
    }
    return batch;
  }

  async #append(batch: readonly WaitingOp[]): Promise<void> {
    const after = this.memory.end;
    const ops = this.#order(batch, after);
    const announcement = this.#parts.announce(this.doc, ops);
    this.#appending = new Set(batch);
    try {
      const answer = await this.#parts.store.append({
        doc: this.doc,
        epoch: this.epoch,
        session: this.session,
        after,
        ops,
        announcement,
      });
      this.#appending = new Set();
      if (answer.status === 'appended') this.#acknowledge(batch, ops);
      else if (answer.status === 'fenced') this.#lose(fenced(this.doc, this.epoch, answer.epoch));
      else this.#lose(unexpectedEnd(this.doc, after, answer.end));
    } catch (thrown) {
      const error = asBackplaneError(thrown);
      // The store is sure that it wrote nothing, so none of the batch is in doubt.
      if (error.certainty === 'definite') this.#appending = new Set();
      this.#lose(error);
    }
  }

  #order(batch: readonly WaitingOp[], after: LogEnd): StoredOp[] {
    let { seq, chain } = after;
    const at = this.#parts.wallMs();
    return batch.map(({ op }) => {
      seq += 1;
      chain = extendChain(chain, op);
      return { seq, epoch: this.epoch, at, chain, ...op };
    });
  }

  #acknowledge(batch: readonly WaitingOp[], ops: readonly StoredOp[]): void {
    // The append is durable, so it is true, even if the session ended meanwhile.
    this.memory.apply(ops);
    batch.forEach((waiting, index) => {
      this.#waiting.delete(waiting.opId);
      if (this.#queuedCounters.get(waiting.op.peer) === waiting.op.counter) {
        this.#queuedCounters.delete(waiting.op.peer);
      }
      const seq = ops[index]?.seq ?? 0;
      waiting.resolve({ seq, epoch: this.epoch, duplicate: false });
    });
    this.#parts.appended(this, ops);
  }

  #lose(error: BackplaneError): void {
    if (this.#ended) return;
    this.end(error);
    this.#parts.lost(this, error);
  }

  /**
   * A peer that is ahead of us may be right: when the directory lost our record, somebody else has
   * taken the document, and we would not notice before our next append, which a gap never becomes.
   */
  async #requireCurrent(): Promise<void> {
    const head = await this.#parts.store.head(this.doc);
    if (head?.epoch === this.epoch && head.session === this.session) return;
    const error = fenced(this.doc, this.epoch, head?.epoch ?? 0);
    this.#lose(error);
    throw error;
  }

  async #findSeq(op: OpSubmission): Promise<number> {
    const last = this.memory.peers.get(op.peer);
    if (last?.counter === op.counter) return last.seq;
    const near = this.memory.findInTail(op.peer, op.counter);
    if (near !== null) return near;
    // Older than the tail: backwards through the log from the peer's last op.
    for (let end = last?.seq ?? 0; end > 0; end -= limits.tailOpsKept) {
      const from = Math.max(0, end - limits.tailOpsKept);
      for (let at = from; at < end; ) {
        const page = await this.#parts.store.read(this.doc, at, end - at);
        const found = page.find((one) => one.peer === op.peer && one.counter === op.counter);
        if (found) return found.seq;
        const lastRead = page.at(-1);
        if (!lastRead) break;
        at = lastRead.seq;
      }
    }
    throw new BackplaneError(
      'OP_GAP',
      `the log of "${this.doc}" has no ${opIdOf(op.peer, op.counter)}`,
    );
  }
}

function gap(doc: string, op: OpSubmission, expected: number): BackplaneError {
  return new BackplaneError(
    'OP_GAP',
    `"${doc}" expects op ${expected} of peer ${op.peer}, not ${op.counter}`,
    { facts: { expected } },
  );
}

function fenced(doc: string, epoch: number, current: number): BackplaneError {
  return new BackplaneError(
    'FENCED',
    `"${doc}" has a later owner: epoch ${current}, ours ${epoch}`,
    {
      facts: { epoch: current },
    },
  );
}

function unexpectedEnd(doc: string, ours: LogEnd, found: LogEnd): BackplaneError {
  const rewound = found.seq < ours.seq || (found.seq === ours.seq && found.chain !== ours.chain);
  return new BackplaneError(
    rewound ? 'LOG_REWOUND' : 'CONFLICT',
    `the log of "${doc}" ends at ${found.seq}, the owner expected ${ours.seq}`,
    { facts: { found: found.seq, expected: ours.seq } },
  );
}
