import { describe, expect, test } from 'vitest';
import {
  addCounts,
  countsSince,
  latencyPercentile,
} from '../../../src/operations/watch/latency-percentile.ts';
import { LatencyCounts } from '../../../src/runtime/health/latency-counts.ts';

function countsOf(...tookMs: number[]): number[] {
  const counts = new LatencyCounts();
  for (const each of tookMs) counts.record(each);
  return counts.read();
}

describe('a percentile of latencies', () => {
  test('is at most a quarter too high, and never too low', () => {
    for (const tookMs of [0.2, 1, 3.7, 25, 999, 14_000]) {
      const found = latencyPercentile(countsOf(tookMs), 0.99) as number;
      expect(found).toBeGreaterThanOrEqual(tookMs * 0.999);
      expect(found).toBeLessThanOrEqual(tookMs * 1.26);
    }
  });

  test('separates the many from the few', () => {
    const counts = countsOf(...Array.from({ length: 98 }, () => 1), 500, 500);
    expect(latencyPercentile(counts, 0.5)).toBeLessThan(1.3);
    expect(latencyPercentile(counts, 0.99)).toBeGreaterThan(400);
  });

  test('is unknown when nothing was measured', () => {
    expect(latencyPercentile([], 0.99)).toBeNull();
    expect(latencyPercentile(countsOf(), 0.99)).toBeNull();
  });

  test('is of all nodes together, and of the time since', () => {
    const slow = countsOf(1_000);
    const both = addCounts([countsOf(1), slow, slow, slow]);
    expect(latencyPercentile(both, 0.5)).toBeGreaterThan(900);
    expect(latencyPercentile(countsSince(both, addCounts([slow, slow, slow])), 0.99)).toBeLessThan(
      2,
    );
  });

  test('takes whatever time, as long as it is one', () => {
    expect(latencyPercentile(countsOf(0, -1, Number.NaN, 1e12), 0.1)).toBe(0.1);
  });
});
