import { createReadStream } from 'node:fs';
import { isoTime } from '../../foundation/iso-time.ts';
import { judgeHistory } from '../judge-history.ts';
import { budgetsKept } from './budgets-kept.ts';
import type { DrillRun } from './drill.ts';
import { drillBudgets } from './drill-budgets.ts';
import type { DrillReport, FaultReport } from './drill-report.ts';
import { verdictOf } from './drill-verdict.ts';
import type { RunSeries } from './figures/run-series.ts';
import { type FaultTimes, figuresOf } from './run-figures.ts';
import type { InjectedFault } from './run-steps.ts';
import type { Scenario } from './scenario.ts';

export interface DrillToJudge {
  readonly run: string;
  readonly scenario: Scenario;
  readonly seed: number;
  readonly history: string;
  readonly replay: string;
}

export interface JudgedDrill {
  readonly report: DrillReport;
  /** For the picture. */
  readonly series: RunSeries;
}

/** Says what a drill has proved. Everything but the faults themselves is read from its history. */
export async function judgeDrill(drill: DrillToJudge, done: DrillRun): Promise<JudgedDrill> {
  const { scenario, history, run, seed, replay } = drill;
  const { injected, problems, ground } = done;
  const source = () => ({ name: history, pieces: createReadStream(history) });
  const budgets = drillBudgets(scenario);
  const { laws } = await judgeHistory(source(), { budgets });
  const measured = await figuresOf(source());
  const figures = measured.figures();
  const faults = faultReports(injected, measured.faults());
  const budgetReports = budgetsKept({ figures, faults }, scenario.budgets);
  const report: DrillReport = {
    run,
    scenario: scenario.name,
    summary: scenario.summary,
    ...verdictOf({
      laws,
      budgets: budgetReports,
      faults: injected,
      workload: scenario.workload,
      acknowledged: figures.ops.acknowledged,
      problems,
      unjudged: ground.unjudged,
    }),
    seed,
    startedAt: isoTime(done.startedWallMs) ?? '',
    durationMs: Math.round(done.durationMs),
    cluster: {
      nodes: ground.nodes,
      broker: ground.broker,
      store: ground.logs,
      attached: ground.attached,
    },
    workload: scenario.workload,
    figures,
    faults,
    budgets: budgetReports,
    laws,
    history,
    replay,
  };
  return { report, series: measured.series(laws) };
}

function faultReports(
  injected: readonly InjectedFault[],
  times: readonly FaultTimes[],
): FaultReport[] {
  const timesOf = new Map(times.map((each) => [each.id, each]));
  return injected.map(({ id, fault, target, evidence }) => {
    const { startMs = 0, endMs = null, recoveryMs = null } = timesOf.get(id) ?? {};
    return { id, fault, target, startMs, endMs, evidence, recoveryMs };
  });
}
