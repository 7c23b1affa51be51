import type { BudgetReport, DrillFigures, FaultReport } from './drill-report.ts';
import type { FigureBudgets } from './scenario.ts';

/** What was measured in a run. */
export interface Measured {
  readonly figures: DrillFigures;
  readonly faults: readonly Pick<FaultReport, 'recoveryMs'>[];
}

/**
 * The budgets on what is measured as a figure: the percentiles of latency, and the slowest
 * recovery. The others are limits within laws, whose reports say whether they were kept. One that
 * could not be measured is not kept.
 */
export function budgetsKept({ figures, faults }: Measured, budgets: FigureBudgets): BudgetReport[] {
  const recoveries = faults.map(({ recoveryMs }) => recoveryMs).filter((ms) => ms !== null);
  const actual: readonly (readonly [string, number | undefined, number | null])[] = [
    ['p50', budgets.p50Ms, figures.latency?.p50Ms ?? null],
    ['p99', budgets.p99Ms, figures.latency?.p99Ms ?? null],
    ['recovery', budgets.recoveryMs, recoveries.length === 0 ? null : Math.max(...recoveries)],
  ];
  return actual.flatMap(([name, limitMs, actualMs]) =>
    limitMs === undefined
      ? []
      : [{ name, limitMs, actualMs, kept: actualMs !== null && actualMs <= limitMs }],
  );
}
