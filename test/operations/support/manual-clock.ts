import type { Clock } from '../../../src/ports/clock.ts';

/**
 * A clock that jumps to the next timer as soon as nothing else runs, so that waiting costs a test
 * no time.
 */
export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { atMs: number; run: () => void }[] = [];
  #scheduled = false;

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_767_225_600_000 + this.#nowMs;
  }

  pass(durationMs: number): void {
    this.#nowMs += durationMs;
  }

  after(delayMs: number, run: () => void): { cancel(): void } {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.push(timer);
    this.#schedule();
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const next = this.#timers.sort((a, b) => a.atMs - b.atMs).shift();
      if (!next) return;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      if (this.#timers.length > 0) this.#schedule();
    });
  }
}
