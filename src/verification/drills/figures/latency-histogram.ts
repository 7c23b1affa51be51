const smallestMs = 0.01;
const largestMs = 86_400_000;

/**
 * Latencies in a fixed amount of memory, however many: counted in classes, each larger than the
 * one before by the precision. A percentile is off by half of that at most; the largest is exact.
 */
export class LatencyHistogram {
  readonly #growth: number;
  readonly #counts: Uint32Array;
  #count = 0;
  #maxMs = 0;

  /** `0.01` tells 100 ms from 101 ms. */
  constructor(precision: number) {
    this.#growth = Math.log1p(precision);
    this.#counts = new Uint32Array(this.#classOf(largestMs) + 1);
  }

  get count(): number {
    return this.#count;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  add(latencyMs: number): void {
    const at = this.#classOf(latencyMs);
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#count += 1;
    this.#maxMs = Math.max(this.#maxMs, latencyMs);
  }

  /** Takes in another one of the same precision. */
  merge(other: LatencyHistogram): void {
    for (let at = 0; at < this.#counts.length; at++) {
      this.#counts[at] = (this.#counts[at] as number) + (other.#counts[at] as number);
    }
    this.#count += other.#count;
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  /** The latency that this share of all stays within; 0 when there are none. */
  percentileMs(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (let at = 0; at < this.#counts.length; at++) {
      seen += this.#counts[at] as number;
      if (seen >= wanted) return Math.min(this.#middleMs(at), this.#maxMs);
    }
    return this.#maxMs;
  }

  #classOf(latencyMs: number): number {
    const within = Math.min(Math.max(latencyMs, smallestMs), largestMs);
    return Math.round(Math.log(within / smallestMs) / this.#growth);
  }

  #middleMs(at: number): number {
    return smallestMs * Math.exp(at * this.#growth);
  }
}
