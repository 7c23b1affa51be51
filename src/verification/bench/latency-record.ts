import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** What is told of many latencies, in milliseconds. All are 0 when there were none. */
export interface LatencyFigures {
  readonly minMs: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

const microseconds = 1_000;
/** An hour: whatever takes longer is counted as that. */
const longest = 3_600_000 * microseconds;

/**
 * Latencies in a High Dynamic Range histogram (Gil Tene's): three digits of any size, in a fixed
 * amount of memory, however many there are.
 */
export class LatencyRecord {
  readonly #histogram: RecordableHistogram = createHistogram({ highest: longest, figures: 3 });

  get count(): number {
    return this.#histogram.count;
  }

  add(latencyMs: number): void {
    const units = Math.round(latencyMs * microseconds);
    this.#histogram.record(Math.min(Math.max(units, 1), longest));
  }

  figures(): LatencyFigures {
    const histogram = this.#histogram;
    if (histogram.count === 0) return none;
    const at = (percent: number) => histogram.percentile(percent) / microseconds;
    return {
      minMs: histogram.min / microseconds,
      meanMs: Math.round(histogram.mean) / microseconds,
      p50Ms: at(50),
      p90Ms: at(90),
      p99Ms: at(99),
      p999Ms: at(99.9),
      maxMs: histogram.max / microseconds,
    };
  }
}

const none: LatencyFigures = {
  ...{ minMs: 0, meanMs: 0, p50Ms: 0, p90Ms: 0, p99Ms: 0, p999Ms: 0, maxMs: 0 },
};
