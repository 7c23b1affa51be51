import type { Clock, Timer } from '../../ports/clock.ts';

export interface Awaited {
  readonly dueMs: number;
  readonly expire: () => void;
}

/** A timer later than this means that this process stood still, not that nobody answered. */
const lateMs = 250;
const catchUpMs = 50;

/**
 * Deadlines of calls that all have the same timeout: the oldest expires first, so one timer serves
 * any number of them. After a pause of this whole process, the answers that wait in the socket are
 * read before anything expires.
 */
export class DeadlineQueue {
  readonly timeoutMs: number;
  readonly #clock: Clock;
  readonly #waiting = new Set<Awaited>();
  #timer: Timer | null = null;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.timeoutMs = timeoutMs;
  }

  add(expire: () => void): Awaited {
    const awaited = { dueMs: this.#clock.monotonicMs() + this.timeoutMs, expire };
    this.#waiting.add(awaited);
    if (!this.#timer) this.#arm(this.timeoutMs, false);
    return awaited;
  }

  /** False when the deadline came first. */
  settle(awaited: Awaited): boolean {
    return this.#waiting.delete(awaited);
  }

  /** For the end: what is still waiting has to be settled by others. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(delayMs: number, caughtUp: boolean): void {
    const dueMs = this.#clock.monotonicMs() + delayMs;
    this.#timer = this.#clock.after(delayMs, () => {
      const stoodStill = this.#clock.monotonicMs() - dueMs > lateMs;
      if (stoodStill && !caughtUp) this.#arm(catchUpMs, true);
      else this.#expireDue();
    });
  }

  #expireDue(): void {
    this.#timer = null;
    for (const awaited of this.#waiting) {
      const leftMs = awaited.dueMs - this.#clock.monotonicMs();
      if (leftMs > 0) return this.#arm(Math.max(1, leftMs), false);
      this.#waiting.delete(awaited);
      awaited.expire();
    }
  }
}
