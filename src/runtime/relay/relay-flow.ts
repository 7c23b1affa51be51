import type { Clock, Timer } from '../../ports/clock.ts';

/** What one connection may have under way to another before it is not read any more. */
export const flowBytesMax = 2_097_152;
/** How often a sender that waits asks what has become of it: `done` may be lost, too. */
const askMs = 500;
const restMs = 500;

export interface FlowParts {
  readonly clock: Clock;
  ask(sent: number): void;
  /** The sender should stop, or go on. */
  changed(): void;
}

/**
 * The bytes of one connection on their way to another. Both ends count them from the first, so a
 * lost letter or report costs nothing: the next one says it all.
 */
export class RelayFlow {
  readonly #parts: FlowParts;
  #sent = 0;
  #done = 0;
  #asking: Timer | null = null;

  constructor(parts: FlowParts) {
    this.#parts = parts;
  }

  get isFull(): boolean {
    return this.#sent - this.#done >= flowBytesMax;
  }

  get underWay(): number {
    return this.#sent - this.#done;
  }

  /** Answers how many bytes were sent before these. */
  send(bytes: number): number {
    const offset = this.#sent;
    this.#sent += bytes;
    if (this.isFull && !this.#asking) {
      this.#askLater();
      this.#parts.changed();
    }
    return offset;
  }

  /** So many bytes have left the other node, or will never. */
  done(total: number): void {
    const wasFull = this.isFull;
    this.#done = Math.max(this.#done, Math.min(total, this.#sent));
    if (!wasFull || this.isFull) return;
    this.end();
    this.#parts.changed();
  }

  /** One more letter has left this node. */
  left(bytes: number): void {
    this.done(this.#done + bytes);
  }

  end(): void {
    this.#asking?.cancel();
    this.#asking = null;
  }

  #askLater(): void {
    this.#asking = this.#parts.clock.after(askMs, () => {
      this.#parts.ask(this.#sent);
      this.#askLater();
    });
  }
}

/** The other end of a flow: what has arrived here and what of it has left for the reader. */
export class RelayArrivals {
  readonly #clock: Clock;
  readonly #tell: (done: number) => void;
  #received = 0;
  #waiting = 0;
  #told = 0;
  #rest: Timer | null = null;

  constructor(clock: Clock, tell: (done: number) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  arrived(offset: number, bytes: number): void {
    // What is missing before the offset was lost on its way: nobody waits for it here.
    this.#received = Math.max(this.#received, offset + bytes);
    this.#waiting += bytes;
  }

  left(bytes: number): void {
    this.#waiting -= bytes;
    const done = this.#received - this.#waiting;
    if (done - this.#told >= flowBytesMax / 4) this.#report();
    // No sender waits for the rest; whoever looks at its queue wants to know all the same.
    else this.#rest ??= this.#clock.after(restMs, () => this.#report());
  }

  asked(sent: number): void {
    this.#received = Math.max(this.#received, sent);
    this.#report();
  }

  end(): void {
    this.#rest?.cancel();
    this.#rest = null;
  }

  #report(): void {
    this.end();
    this.#told = this.#received - this.#waiting;
    this.#tell(Math.max(0, this.#told));
  }
}
