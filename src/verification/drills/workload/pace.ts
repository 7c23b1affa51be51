/** An open loop: how many are due by now, whatever became of those before. */
export class Pace {
  readonly #perSecond: number;
  readonly #startedMs: number;
  #done = 0;

  constructor(perSecond: number, startedMs: number) {
    this.#perSecond = perSecond;
    this.#startedMs = startedMs;
  }

  /** Those that came due since the last call. */
  take(nowMs: number): number {
    const due = Math.floor(((nowMs - this.#startedMs) * this.#perSecond) / 1_000) - this.#done;
    this.#done += due;
    return due;
  }
}
