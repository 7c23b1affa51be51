import type { BackplaneError } from '../foundation/errors.ts';
import type { DocumentOp } from './document-handle.ts';

/** Ops a slow reader may have in memory; beyond, the client stops following until it has caught up. */
export const streamOpsMax = 4_096;

/** The ops of a document for one `for await`. */
export class OpStream implements AsyncIterableIterator<DocumentOp> {
  readonly #drained: () => void;
  readonly #left: (stream: OpStream) => void;
  #ops: DocumentOp[] = [];
  #at = 0;
  #waiting: PromiseWithResolvers<IteratorResult<DocumentOp>>[] = [];
  #end: { readonly error: BackplaneError | null } | null = null;

  constructor(events: { drained(): void; left(stream: OpStream): void }) {
    this.#drained = events.drained;
    this.#left = events.left;
  }

  get isFull(): boolean {
    return this.#ops.length - this.#at >= streamOpsMax;
  }

  push(op: DocumentOp): void {
    const reader = this.#waiting.shift();
    if (reader) reader.resolve({ value: op, done: false });
    else this.#ops.push(op);
  }

  /** What is in memory is still read; after it comes the end. */
  end(error: BackplaneError | null): void {
    this.#end ??= { error };
    for (const reader of this.#waiting.splice(0)) {
      if (error) reader.reject(error);
      else reader.resolve({ value: undefined, done: true });
    }
  }

  async next(): Promise<IteratorResult<DocumentOp>> {
    const op = this.#ops[this.#at];
    if (op) {
      this.#at += 1;
      this.#compact();
      return { value: op, done: false };
    }
    if (this.#end?.error) throw this.#end.error;
    if (this.#end) return { value: undefined, done: true };
    const reader = Promise.withResolvers<IteratorResult<DocumentOp>>();
    this.#waiting.push(reader);
    return reader.promise;
  }

  async return(): Promise<IteratorResult<DocumentOp>> {
    this.end(null);
    this.#ops = [];
    this.#at = 0;
    this.#left(this);
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #compact(): void {
    if (this.#at < streamOpsMax / 2 && this.#at < this.#ops.length) return;
    this.#ops.splice(0, this.#at);
    this.#at = 0;
    this.#drained();
  }
}
