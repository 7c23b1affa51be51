const originsMax = 1_024;

/**
 * Notices a request that lay around (in a paused process, in a full socket) until its caller had
 * given up. No clock is compared with another: for each origin the smallest difference between our
 * wall clock and its own is what the clocks differ by plus the fastest delivery; whatever a frame
 * shows above that, it has waited.
 */
export class Lateness {
  readonly #smallest = new Map<string, number>();

  /** How long the frame waited on its way, in ms, as far as can be known. */
  waitedMs(origin: string, sentAt: number, arrivedAt: number): number {
    const difference = arrivedAt - sentAt;
    const smallest = this.#smallest.get(origin);
    if (smallest === undefined || difference < smallest) {
      this.#smallest.delete(origin);
      this.#smallest.set(origin, difference);
      this.#bound();
      return 0;
    }
    return difference - smallest;
  }

  #bound(): void {
    if (this.#smallest.size <= originsMax) return;
    const [oldest] = this.#smallest.keys();
    if (oldest !== undefined) this.#smallest.delete(oldest);
  }
}
