import type { Clock, Timer } from '../../src/ports/clock.ts';

interface VirtualTimer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * Time that passes only when it is told to. `advance` fires what is due in order, and lets every
 * promise chain settle between two timers, so that a run is the same each time.
 */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #wallOffsetMs: number;
  #timersSet = 0;
  readonly #timers = new Set<VirtualTimer>();
  #advancing: Promise<void> = Promise.resolve();

  constructor(wallMs = 1_767_225_600_000) {
    this.#wallOffsetMs = wallMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  after(delayMs: number, run: () => void): Timer {
    this.#timersSet += 1;
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#timersSet, run };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Lets time pass. Two calls at once follow each other. */
  advance(durationMs: number): Promise<void> {
    this.#advancing = this.#advancing.then(() => this.#advanceTo(this.#nowMs + durationMs));
    return this.#advancing;
  }

  /** Moves the wall clock only, as an operator or NTP would. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** How many timers wait: a test can see that something was cleaned up. */
  get timersWaiting(): number {
    return this.#timers.size;
  }

  async #advanceTo(endMs: number): Promise<void> {
    await settle();
    for (;;) {
      const timer = this.#next();
      if (!timer || timer.atMs > endMs) break;
      this.#timers.delete(timer);
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      timer.run();
      await settle();
    }
    this.#nowMs = endMs;
    await settle();
  }

  #next(): VirtualTimer | null {
    let next: VirtualTimer | null = null;
    for (const timer of this.#timers) {
      const sooner =
        !next || timer.atMs < next.atMs || (timer.atMs === next.atMs && timer.order < next.order);
      if (sooner) next = timer;
    }
    return next;
  }
}

/** One macrotask: by then every chain of promises that can go on has gone on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
