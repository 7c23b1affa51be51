/** The first step ends here, each next one a quarter later: a percentile is off by at most that. */
const firstBoundMs = 0.1;
const growth = 1.25;
/** The last step holds everything from about a minute up. */
export const latencySteps = 61;

/**
 * How long things took, as counts of steps. It takes the same room for one as for a million, and
 * those of several nodes, or of two moments, can be added and subtracted.
 */
export class LatencyCounts {
  readonly #counts = new Array<number>(latencySteps).fill(0);

  record(tookMs: number): void {
    this.#counts[stepOf(tookMs)]! += 1;
  }

  /** Since the start; they only grow. */
  read(): number[] {
    return [...this.#counts];
  }
}

function stepOf(tookMs: number): number {
  if (!(tookMs > firstBoundMs)) return 0;
  const step = Math.ceil(Math.log(tookMs / firstBoundMs) / Math.log(growth));
  return Math.min(step, latencySteps - 1);
}

/** The upper end of a step. */
export function latencyBoundMs(step: number): number {
  return firstBoundMs * growth ** step;
}
