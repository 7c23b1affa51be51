import { invariant } from '../foundation/assert.ts';
import { asBackplaneError } from '../foundation/errors.ts';
import { isoTime } from '../foundation/iso-time.ts';
import type { FailoverPlan } from '../operations/diagnose/plan-failover.ts';
import type { NodeDials } from '../runtime/node-settings.ts';
import { findScenario } from '../verification/drills/find-scenario.ts';
import { knownFaults } from '../verification/drills/known-faults.ts';
import { defaultHistory, runDrill } from '../verification/drills/run-drill.ts';
import type { Scenario } from '../verification/drills/scenario.ts';
import type { CommandContext } from './context.ts';
import { DrillDisplay } from './drill-display.ts';

/** Which drill shows which failure, and what the fault of interest is called there. */
const drills = [
  { failure: 'owner killed', scenario: 'owner-crash', fault: 'kill' },
  { failure: 'node stopped in order', scenario: 'rolling-restart', fault: 'terminate' },
  { failure: 'broker restarted', scenario: 'broker-restart', fault: 'broker-restart' },
  { failure: 'owner stands still', scenario: 'owner-pause', fault: 'pause' },
] as const;

/** What would take longer than that is not rehearsed: it is a matter of settings anyway. */
const heldMsMax = 60_000;
/** An owner must stand still for longer than it takes to be replaced, or nothing is seen. */
const pauseMsMore = 2_000;

const seedMax = 2 ** 31;

/**
 * Rehearses what can be rehearsed in seconds, with the settings of the plan, on processes and a
 * broker of its own: nothing is done to the cluster. Answers the plan with what was measured.
 */
export async function measureFailover(
  context: CommandContext,
  plan: FailoverPlan,
  dials: NodeDials,
  only: readonly string[],
): Promise<FailoverPlan> {
  const measured = new Map<string, number | null>();
  for (const { failure, scenario: name, fault } of drills) {
    if (only.length > 0 && !only.includes(failure.replaceAll(' ', '-'))) continue;
    const { scenario } = await findScenario(name, { faults: knownFaults });
    const pauseMs = (planned(plan, failure)?.worstMs ?? 0) + pauseMsMore;
    if (fault === 'pause' && pauseMs > heldMsMax) continue;
    const short = onlyThe(fault, scenario, fault === 'pause' ? pauseMs : null);
    const report = await rehearse(context, withSettings(short, dials)).catch((error) =>
      tellUnmeasured(context, failure, error),
    );
    if (report === null) continue;
    const times = report.faults
      .filter((each) => each.fault === fault && each.recoveryMs !== null)
      .map(({ recoveryMs }) => recoveryMs ?? 0);
    measured.set(failure, times.length === 0 ? null : Math.round(Math.max(...times)));
  }
  const failures = plan.failures.map((each) => {
    return { ...each, measuredMs: measured.get(each.failure) ?? null };
  });
  return { ...plan, failures };
}

/** A machine too busy for one drill says nothing about the others. */
async function tellUnmeasured(context: CommandContext, failure: string, thrown: unknown) {
  const error = asBackplaneError(thrown);
  if (error.code === 'INTERRUPTED' || error.code === 'INTERNAL') throw error;
  await context.print.note(`${failure}: not measured: ${error.message}`);
  return null;
}

function planned({ failures }: FailoverPlan, name: string) {
  return failures.find(({ failure }) => failure === name);
}

/** Enough to see who waits how long; more would measure the machine. */
const lightLoad = {
  ...{ documents: 6, peers: 6, followers: 2, opsPerSecond: 60 },
  ...{ awarenessPerSecond: 2, requestsPerSecond: 5, guests: 0 },
};
const beforeMs = 1_000;
const afterMs = 2_500;

/** Of a drill only this fault, once, on the owner; held for so long where that is given. */
function onlyThe(fault: string, scenario: Scenario, forMs: number | null): Scenario {
  const all = scenario.steps.flatMap((step) => (step.step === 'repeat' ? step.steps : [step]));
  const found = all.find((step) => step.step === 'fault' && step.fault === fault);
  invariant(found?.step === 'fault', `${scenario.name} has the fault that is measured by it`);
  const on = found.on === 'each' ? 'owner' : found.on;
  return {
    ...scenario,
    workload: { ...scenario.workload, ...lightLoad },
    steps: [
      { step: 'run', forMs: beforeMs },
      { ...found, on, forMs: forMs ?? found.forMs },
      { step: 'run', forMs: afterMs },
    ],
  };
}

async function rehearse(context: CommandContext, scenario: Scenario) {
  const { random, clock, settings, signal, world, logger } = context;
  const run = random.token(5);
  const startedAt = (isoTime(clock.wallMs()) ?? '').replace(/[:.]/g, '-');
  const display = new DrillDisplay(context);
  try {
    const done = await runDrill(
      {
        ...{ scenario, run, where: 'embedded' as const },
        seed: Math.floor(random.fraction() * seedMax),
        history: await defaultHistory(
          settings.dataDir,
          `${startedAt}-plan-${scenario.name}-${run}`,
        ),
        token: settings.token?.reveal() ?? null,
        replay: `backplane drill run ${scenario.name}`,
      },
      world.doors.drillDoors(logger),
      (drill) => display.watch(scenario, drill),
      signal,
    );
    return done.report;
  } finally {
    display.stop();
  }
}

/** The dials of the cluster in the place of those of the scenario, and no budget but the plan. */
function withSettings(scenario: Scenario, dials: NodeDials): Scenario {
  const serve = {
    ...scenario.cluster.serve,
    'lease-ttl': `${dials.leaseTtlMs}ms`,
    heartbeat: `${dials.heartbeatMs}ms`,
    'node-timeout': `${dials.nodeTimeoutMs}ms`,
    'takeover-grace': `${dials.takeoverGraceMs}ms`,
  };
  return { ...scenario, cluster: { ...scenario.cluster, serve }, budgets: {} };
}
