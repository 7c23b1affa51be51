import type { Clock } from '../../../ports/clock.ts';

/** So that a slow link is a trickle, not a silence with bursts. */
const portionMs = 20;

/** A link that takes so many bytes a second, whoever sends them. */
export class ByteRate {
  readonly portionBytes: number;
  readonly #bytesPerMs: number;
  readonly #clock: Clock;
  #freeAtMs = 0;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerMs = bytesPerSecond / 1_000;
    this.portionBytes = Math.max(1, Math.floor(this.#bytesPerMs * portionMs));
    this.#clock = clock;
  }

  /** How long until the next portion may be sent. */
  waitMs(): number {
    return Math.max(0, this.#freeAtMs - this.#clock.monotonicMs());
  }

  sent(bytes: number): void {
    // A timer that fired late must not make the link slower than it is said to be.
    const earliestMs = this.#clock.monotonicMs() - portionMs;
    this.#freeAtMs = Math.max(this.#freeAtMs, earliestMs) + bytes / this.#bytesPerMs;
  }
}
