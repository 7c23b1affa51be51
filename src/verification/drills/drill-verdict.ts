import type { LawReport } from '../judge-history.ts';
import { counted } from '../law.ts';
import type { BudgetReport, DrillReport } from './drill-report.ts';
import type { InjectedFault } from './run-steps.ts';
import type { WorkloadPlan } from './scenario.ts';

export interface Findings {
  readonly laws: readonly LawReport[];
  readonly budgets: readonly BudgetReport[];
  readonly faults: readonly InjectedFault[];
  readonly workload: WorkloadPlan;
  readonly acknowledged: number;
  /** Of the drill itself: it was cut short, nodes did not start, followers lag. */
  readonly problems: readonly string[];
  /** Laws the cluster gives no data for: nobody can listen to what its store does. */
  readonly unjudged: readonly string[];
}

/** Fewer acknowledged ops than this prove nothing. */
const opsMin = 50;

/**
 * A law that is violated is violated, whatever else went wrong. A pass needs that every fault took
 * effect, that there was a load, and that every law that this load and these faults speak of could
 * be judged: what proves nothing must not be green.
 */
export function verdictOf(found: Findings): Pick<DrillReport, 'outcome' | 'reason'> {
  const violated = found.laws.filter(({ outcome }) => outcome === 'violated');
  if (violated.length > 0) {
    const names = violated.map(({ law }) => law).join(', ');
    const reason = `${counted(violated.length, 'law is', 'laws are')} violated: ${names}`;
    return { outcome: 'violated', reason };
  }
  const missed = found.budgets.filter(({ kept, actualMs }) => !kept && actualMs !== null);
  if (missed.length > 0) {
    const names = missed.map(({ name }) => name).join(', ');
    return { outcome: 'violated', reason: `over budget: ${names}` };
  }
  const doubt = doubtOf(found);
  if (doubt !== null) return { outcome: 'inconclusive', reason: doubt };
  return { outcome: 'pass', reason: null };
}

function doubtOf(found: Findings): string | null {
  const { faults, acknowledged, problems, budgets } = found;
  const failed = faults.find(({ problem }) => problem !== null);
  if (failed) return `${failed.fault} on ${failed.target}: ${failed.problem}`;
  if (problems.length > 0) return problems[0] as string;
  const unseen = faults.find(({ evidence }) => evidence === null);
  if (unseen) return `nothing shows that ${unseen.fault} on ${unseen.target} took effect`;
  if (faults.length === 0) return 'no fault was injected';
  if (acknowledged < opsMin) {
    return `${counted(acknowledged, 'op was', 'ops were')} acknowledged, and ${opsMin} are the least that proves anything`;
  }
  const unknown = found.laws.find(
    ({ law, outcome }) => outcome === 'unknown' && !isExcused(law, found),
  );
  if (unknown) return `${unknown.law} could not be judged: ${unknown.detail}`;
  const unmeasured = budgets.find(({ actualMs }) => actualMs === null);
  if (unmeasured) return `${unmeasured.name} could not be measured`;
  return null;
}

/** A law about what this drill had nothing of. */
function isExcused(law: string, { workload, unjudged }: Findings): boolean {
  if (unjudged.includes(law)) return true;
  const aboutRequests = law === 'requests-end' || law === 'no-answer-below-epoch';
  if (aboutRequests) return workload.requestsPerSecond === 0;
  if (law === 'awareness-converges') return workload.awarenessPerSecond === 0;
  // Too short for an eviction to have been due.
  if (law === 'stale-caches-end') return true;
  // What a node does with a connection is not seen from outside.
  if (law === 'relay-one-way') return true;
  // Not every fault kills somebody.
  return law === 'dead-are-gone' || law === 'living-are-kept';
}
