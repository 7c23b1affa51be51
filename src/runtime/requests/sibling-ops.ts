import type { Clock } from '../../ports/clock.ts';

/**
 * Ops of one peer and document that this node brings to the owner at the same time. The owner takes
 * them only in order: one that came too early waits for the one before it, and follows at once. If
 * each of a long queue slept for a while instead, one would pass in each while.
 */
export class SiblingOps {
  readonly #underWay = new Set<number>();
  readonly #waiting = new Map<number, Set<() => void>>();
  #appliedUpTo = 0;

  get isEmpty(): boolean {
    return this.#underWay.size === 0;
  }

  begin(counter: number): void {
    this.#underWay.add(counter);
  }

  /** Those that wait right behind it go, in order, so that none overtakes another. */
  applied(counter: number): void {
    this.#appliedUpTo = Math.max(this.#appliedUpTo, counter);
    for (let next = this.#appliedUpTo + 1; this.#waiting.has(next); next++) this.#wake(next);
  }

  /** Whoever waits for one that failed has to see for itself. */
  end(counter: number): void {
    this.#underWay.delete(counter);
    if (counter <= this.#appliedUpTo) return;
    for (const waiting of [...this.#waiting.keys()].sort((a, b) => a - b)) this.#wake(waiting);
  }

  wasApplied(counter: number): boolean {
    return counter <= this.#appliedUpTo;
  }

  isUnderWay(counter: number): boolean {
    return this.#underWay.has(counter);
  }

  /** Resolves when it is the turn of this op, and at the latest after so long. */
  turnOf(counter: number, clock: Clock, atMostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(counter) ?? new Set();
      const go = () => {
        timer.cancel();
        waiting.delete(go);
        if (waiting.size === 0 && this.#waiting.get(counter) === waiting) {
          this.#waiting.delete(counter);
        }
        resolve();
      };
      const timer = clock.after(atMostMs, go);
      this.#waiting.set(counter, waiting.add(go));
    });
  }

  #wake(counter: number): void {
    for (const go of [...(this.#waiting.get(counter) ?? [])]) go();
  }
}
