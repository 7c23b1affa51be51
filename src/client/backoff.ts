import type { Random } from '../ports/random.ts';

export interface BackoffRange {
  readonly firstMs: number;
  readonly mostMs: number;
}

/**
 * How long to wait before the next attempt: anything up to a bound that doubles with each failure.
 * The full width of chance is what spreads a thousand clients that lost one node.
 */
export function backoffMs(range: BackoffRange, failures: number, random: Random): number {
  const bound = Math.min(range.mostMs, range.firstMs * 2 ** Math.min(failures, 30));
  return bound * random.fraction();
}
