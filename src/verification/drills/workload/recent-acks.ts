const sliceMs = 100;
const slices = 10;
/** Buckets grow by a twentieth each, from a tenth of a millisecond to more than a minute. */
const growth = Math.log(1.05);
const buckets = 288;

interface Slice {
  index: number;
  acks: number;
  readonly counts: Uint32Array;
}

/**
 * Acknowledgements of the last second: how many, and how long they took, to a twentieth. Costs the
 * same however many there are.
 */
export class RecentAcks {
  readonly #slices: readonly Slice[] = Array.from({ length: slices }, () => ({
    ...{ index: -1, acks: 0, counts: new Uint32Array(buckets) },
  }));

  add(atMs: number, tookMs: number): void {
    const index = Math.floor(atMs / sliceMs);
    const slice = this.#slices[index % slices] as Slice;
    if (slice.index !== index) {
      slice.index = index;
      slice.acks = 0;
      slice.counts.fill(0);
    }
    slice.acks += 1;
    const bucket = Math.min(buckets - 1, Math.floor(Math.log(1 + tookMs * 10) / growth));
    slice.counts[bucket] = (slice.counts[bucket] ?? 0) + 1;
  }

  /** The percentile is null when there was none. */
  lastSecond(atMs: number): { readonly acks: number; readonly p99Ms: number | null } {
    const now = Math.floor(atMs / sliceMs);
    const recent = this.#slices.filter(({ index }) => index > now - slices && index <= now);
    const acks = recent.reduce((sum, slice) => sum + slice.acks, 0);
    if (acks === 0) return { acks, p99Ms: null };
    let left = Math.ceil(acks * 0.99);
    for (let bucket = 0; ; bucket++) {
      for (const { counts } of recent) left -= counts[bucket] ?? 0;
      if (left <= 0) return { acks, p99Ms: (Math.exp((bucket + 1) * growth) - 1) / 10 };
    }
  }
}
