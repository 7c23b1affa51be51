import { isBackplaneError } from '../../foundation/errors.ts';
import { LatencyRecord } from './latency-record.ts';

/**
 * What came of the work of one benchmark. Only what was meant to begin while it was measured
 * counts: neither the warm-up, nor what was begun after the end.
 */
export class BenchTally {
  readonly latency = new LatencyRecord();
  readonly failures = new Map<string, number>();
  #fromMs = Number.POSITIVE_INFINITY;
  #untilMs = Number.POSITIVE_INFINITY;
  done = 0;
  failed = 0;
  /** When the last that counts was done. */
  lastMs = 0;

  get fromMs(): number {
    return this.#fromMs;
  }

  measure(fromMs: number, untilMs: number): void {
    this.#fromMs = fromMs;
    this.#untilMs = untilMs;
  }

  counts(meantMs: number): boolean {
    return meantMs >= this.#fromMs && meantMs < this.#untilMs;
  }

  /** `meantMs`: when it should have begun, so that what waited for its turn is not left out. */
  succeeded(meantMs: number, nowMs: number): void {
    if (!this.counts(meantMs)) return;
    this.done += 1;
    this.lastMs = Math.max(this.lastMs, nowMs);
    this.latency.add(nowMs - meantMs);
  }

  failedWith(meantMs: number, error: unknown, howMany = 1): void {
    if (!this.counts(meantMs)) return;
    this.failed += howMany;
    const code = isBackplaneError(error) ? error.code : String(error);
    this.failures.set(code, (this.failures.get(code) ?? 0) + howMany);
  }
}
