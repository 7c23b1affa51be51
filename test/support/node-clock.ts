import type { Clock, Timer } from '../../src/ports/clock.ts';

/**
 * The clocks of one node, which can stand still (its timers wait, as those of a stopped process),
 * jump, and be those of a machine that slept: then the monotonic one did not go on.
 */
export class NodeClock implements Clock {
  readonly #inner: Clock;
  #wallOffsetMs = 0;
  #sleptMs = 0;
  #held: (() => void)[] | null = null;
  #dead = false;

  constructor(inner: Clock) {
    this.#inner = inner;
  }

  monotonicMs(): number {
    return this.#inner.monotonicMs() - this.#sleptMs;
  }

  wallMs(): number {
    return this.#inner.wallMs() + this.#wallOffsetMs;
  }

  after(delayMs: number, run: () => void): Timer {
    let cancelled = false;
    const fire = () => {
      if (cancelled || this.#dead) return;
      if (this.#held) this.#held.push(fire);
      else run();
    };
    const timer = this.#inner.after(delayMs, fire);
    return {
      cancel() {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** The machine slept for this long: only the wall clock noticed. */
  slept(forMs: number): void {
    this.#sleptMs += forMs;
  }

  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const fire of held) fire();
  }

  kill(): void {
    this.#dead = true;
  }
}
