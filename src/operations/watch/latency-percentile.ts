import { latencyBoundMs } from '../../runtime/health/latency-counts.ts';

/** The time that this part of all stayed below, at most a quarter too high; null when there was none. */
export function latencyPercentile(counts: readonly number[], part: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let seen = 0;
  for (const [step, count] of counts.entries()) {
    seen += count;
    if (seen >= total * part) return Number(latencyBoundMs(step).toPrecision(3));
  }
  return null;
}

/** What was counted between two moments; the earlier one may be missing. */
export function countsSince(now: readonly number[], before: readonly number[] | null): number[] {
  return now.map((count, step) => Math.max(0, count - (before?.[step] ?? 0)));
}

export function addCounts(all: readonly (readonly number[])[]): number[] {
  const sum: number[] = [];
  for (const counts of all) {
    for (const [step, count] of counts.entries()) sum[step] = (sum[step] ?? 0) + count;
  }
  return sum;
}
