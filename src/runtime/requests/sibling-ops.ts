interface Waiting {
  readonly counter: number;
  readonly go: () => void;
}

/**
 * Ops of one peer and document that this node brings to the owner at the same time. The owner takes
 * them only in order. So while something is wrong only the first of them tries again, and the others
 * wait: when it was applied they all follow at once, in order. If each tried by itself, each would
 * come before its predecessor, and one would pass in each pause.
 */
export class SiblingOps {
  /** How often each: a peer that came back sends again what is still on its way. */
  readonly #underWay = new Map<number, number>();
  /** By the counter they wait for. */
  readonly #waiting = new Map<number, Waiting[]>();
  #resting = 0;
  #appliedUpTo = 0;

  get isEmpty(): boolean {
    return this.#underWay.size === 0;
  }

  /** Something is wrong: who comes now is not to try before those that are here. */
  get isHeldUp(): boolean {
    return this.#resting > 0 || this.#waiting.size > 0;
  }

  begin(counter: number): void {
    this.#underWay.set(counter, (this.#underWay.get(counter) ?? 0) + 1);
  }

  applied(counter: number): void {
    this.#appliedUpTo = Math.max(this.#appliedUpTo, counter);
    this.#wake((awaited) => awaited <= this.#appliedUpTo);
  }

  /** Whoever waits for one that failed has to see for itself. */
  end(counter: number): void {
    const others = (this.#underWay.get(counter) ?? 1) - 1;
    if (others > 0) this.#underWay.set(counter, others);
    else this.#underWay.delete(counter);
    if (others === 0) this.#wake((awaited) => awaited === counter);
  }

  wasApplied(counter: number): boolean {
    return counter <= this.#appliedUpTo;
  }

  isUnderWay(counter: number): boolean {
    return this.#underWay.has(counter);
  }

  /** The first one under way, which waits for none of the others. */
  first(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const counter of this.#underWay.keys()) first = Math.min(first, counter);
    return first;
  }

  /** Runs a pause of one that is to try again by itself. */
  async rest(pause: () => Promise<void>): Promise<void> {
    this.#resting += 1;
    try {
      await pause();
    } finally {
      this.#resting -= 1;
    }
  }

  /**
   * Resolves when the other one was applied, or is not under way any more; null when that is so
   * already, or when it is the same.
   */
  after(awaited: number, counter: number): Promise<void> | null {
    if (awaited === counter || !this.isUnderWay(awaited) || this.wasApplied(awaited)) return null;
    return new Promise<void>((go) => {
      const waiting = this.#waiting.get(awaited) ?? [];
      this.#waiting.set(awaited, waiting);
      waiting.push({ counter, go });
    });
  }

  /** In order, so that none overtakes another on its way. */
  #wake(isOver: (awaited: number) => boolean): void {
    const woken: Waiting[] = [];
    for (const [awaited, waiting] of this.#waiting) {
      if (!isOver(awaited)) continue;
      this.#waiting.delete(awaited);
      woken.push(...waiting);
    }
    woken.sort((a, b) => a.counter - b.counter);
    for (const { go } of woken) go();
  }
}
