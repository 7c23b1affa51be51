import { asBackplaneError } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FollowedOp, Follower, FollowFrom, Following } from '../../runtime/reports.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { awarenessLine, droppedLine, leaseLine, opLine, type TailLine } from './tail-line.ts';
import type { TailQueue } from './tail-queue.ts';

export interface DocumentTailParts {
  readonly visitor: Visitor;
  readonly clock: Clock;
}

/**
 * One document's feed into a queue. When the queue is full it stops listening and remembers where
 * it stood; `catchUp`, called when the queue is empty, goes on from there by reading the log.
 */
export class DocumentTail {
  readonly #parts: DocumentTailParts;
  readonly #doc: string;
  readonly #queue: TailQueue;
  #following: Following | null = null;
  /** The seq queued last; null while "now" is not known. */
  #seq: number | null = null;
  #behind = false;
  #life = 0;

  constructor(parts: DocumentTailParts, doc: string, queue: TailQueue) {
    this.#parts = parts;
    this.#doc = doc;
    this.#queue = queue;
  }

  /** Does not wait: a long log is read while its first lines are already taken from the queue. */
  start(from: FollowFrom): void {
    this.#seq = from === 'now' ? null : from;
    this.#behind = false;
    void this.#open(++this.#life, from);
  }

  catchUp(): void {
    if (!this.#behind) return;
    const wallMs = this.#parts.clock.wallMs();
    this.#queue.push(0, () => droppedLine(this.#doc, wallMs));
    this.start(this.#seq ?? 'now');
  }

  async stop(): Promise<void> {
    this.#life++;
    const following = this.#following;
    this.#following = null;
    await following?.close();
  }

  async #open(life: number, from: FollowFrom): Promise<void> {
    try {
      const following = await this.#parts.visitor.follow(this.#doc, from, this.#follower(life));
      if (life !== this.#life) return await following.close();
      this.#following = following;
      this.#seq ??= following.seq();
    } catch (thrown) {
      if (life === this.#life) this.#queue.end(asBackplaneError(thrown));
    }
  }

  /** Tells nobody anything once a later life has begun: it would be out of order. */
  #follower(life: number): Follower {
    const current = () => life === this.#life;
    const { clock } = this.#parts;
    return {
      ops: (ops) => {
        if (current()) this.#takeOps(ops);
      },
      awareness: (changes) => {
        for (const change of changes) {
          const state = change.state && Uint8Array.from(change.state);
          const wallMs = clock.wallMs();
          this.#takeLine(current(), () => awarenessLine({ ...change, state }, wallMs));
        }
      },
      owner: (change) => {
        const wallMs = clock.wallMs();
        this.#takeLine(current(), () => leaseLine(change, wallMs));
      },
      failed: (error) => {
        if (current()) this.#queue.end(error);
      },
    };
  }

  #takeOps(ops: readonly FollowedOp[]): void {
    for (const op of ops) {
      if (this.#queue.isFull()) {
        this.#seq ??= op.seq - 1;
        this.#fallBehind();
        return;
      }
      const kept = { ...op, payload: Uint8Array.from(op.payload) };
      this.#queue.push(op.payload.byteLength, () => opLine(kept));
      this.#seq = op.seq;
    }
  }

  #takeLine(current: boolean, line: () => TailLine): void {
    if (!current) return;
    if (this.#queue.isFull()) this.#fallBehind();
    else this.#queue.push(0, line);
  }

  #fallBehind(): void {
    this.#behind = true;
    this.stop().catch((thrown) => this.#queue.end(asBackplaneError(thrown)));
  }
}
