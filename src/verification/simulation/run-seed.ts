import { asBackplaneError } from '../../foundation/errors.ts';
import type { LogFacts, LogLevel } from '../../ports/logger.ts';
import type { Budgets } from '../budgets.ts';
import type { HistoryEvent } from '../history-event.ts';
import type { Counterexample, Law } from '../law.ts';
import { lawsOf } from '../law-book.ts';
import { SeededRandom } from '../seeded-random.ts';
import type { CoverageName } from './coverage.ts';
import { drawProfile, type ProfileRequest, type SimProfile } from './fault-profile.ts';
import { NothingUnexpected } from './nothing-unexpected.ts';
import { simCacheBoundMs } from './sim-caches.ts';
import { SimHistory } from './sim-history.ts';
import { SimWorkload } from './sim-workload.ts';
import { SimWorld } from './sim-world.ts';
import { Storm } from './storm.ts';
import { Timeline } from './timeline.ts';
import { guardWorld } from './world-guard.ts';

export const simBudgets: Budgets = {
  recoveryMs: 60_000,
  cleanupMs: 45_000,
  returnMs: 30_000,
  awarenessMs: 40_000,
  latenessMs: 300,
  settleMs: 60_000,
  staleMs: 32_000,
  cacheMs: simCacheBoundMs,
};

export interface SeedViolation {
  readonly law: string;
  readonly violations: number;
  readonly counterexamples: readonly Counterexample[];
}

export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly SeedViolation[];
  /** Laws that this run gave no data for. */
  readonly unjudged: readonly string[];
  readonly faults: number;
  readonly acknowledged: number;
  readonly events: number;
  readonly steps: number;
  readonly simulatedMs: number;
  readonly coverage: Readonly<Record<CoverageName, number>>;
  readonly digest: string | null;
}

export interface SeedListener {
  event?(event: HistoryEvent): void;
  logged?(atMs: number, machine: string, level: LogLevel, name: string, facts: LogFacts): void;
}

const warmUpMs = 10_000;
const calmMs = 110_000;
/** In the calm, when what should have converged is looked at. */
const lookMs = 90_000;
/** Before the silence: so long everybody has to say something that may be lost. */
const lastWordsMs = 200;
/** Until everything that was under way has ended. */
const lastMs = 15_000;

/** Draws the profile of a seed, and runs it. */
export function runSeed(
  request: ProfileRequest,
  options: { readonly hashed?: boolean; readonly listener?: SeedListener } = {},
): Promise<SeedResult> {
  const random = new SeededRandom(request.seed);
  return runProfile(drawProfile(request, random), options);
}

/** One world from its beginning to its end: storm after storm, and what is left after each. */
export async function runProfile(
  profile: SimProfile,
  { hashed = false, listener = {} }: { hashed?: boolean; listener?: SeedListener } = {},
): Promise<SeedResult> {
  const timeline = new Timeline();
  const unexpected = new NothingUnexpected();
  const laws: Law[] = [...lawsOf(simBudgets), unexpected];
  const trace = listener.event?.bind(listener);
  const history = new SimHistory(timeline, laws, { hashed, trace });
  const note = (what: string) => {
    history.record({ ev: 'note', text: `unexpected: ${what}` });
  };
  const world = new SimWorld({
    ...{ profile, timeline, history, unexpected: note },
    logged: (machine, level, name, facts) => {
      listener.logged?.(timeline.nowMs, machine, level, name, facts);
      const surprise = surpriseOf(level, name, facts);
      if (surprise) note(`${machine}: ${surprise}`);
    },
  });
  const workload = new SimWorkload(world);
  const storm = new Storm(world, () => workload.rush());
  // Whatever ran before has had its say, and puts nothing back that the guard replaces.
  await new Promise((resolve) => setImmediate(resolve));
  const leave = guardWorld(timeline, (error) => note(`${error.message} by ${error.facts.caller}`));
  const rejected = (error: unknown) => note(`nobody caught ${asBackplaneError(error).message}`);
  process.on('unhandledRejection', rejected);
  const { stackTraceLimit } = Error;
  // Errors are part of life in here; nobody reads where they were made.
  Error.stackTraceLimit = 0;
  try {
    await live(world, workload, storm);
  } finally {
    // A rejection that nobody caught is told when the event loop turns.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', rejected);
    leave();
    Error.stackTraceLimit = stackTraceLimit;
  }
  return resultOf(world, storm, laws);
}

async function live(world: SimWorld, workload: SimWorkload, storm: Storm): Promise<void> {
  const { timeline, profile, random } = world;
  const hasFaults = Object.keys(profile.faults).length > 0;
  const pass = (forMs: number) => timeline.run(timeline.nowMs + forMs, () => false);
  timeline.at(0, () => {
    for (const node of world.nodes) timeline.after(random.fraction() * 500, () => node.start());
    timeline.after(2_000, () => workload.start());
  });
  await pass(warmUpMs);
  while (timeline.nowMs + calmMs < profile.durationMs) {
    const stormMs = Math.min(
      120_000 + random.fraction() * 300_000,
      profile.durationMs - timeline.nowMs - calmMs,
    );
    const isLast = timeline.nowMs + stormMs + 2 * calmMs >= profile.durationMs;
    // Half of the worlds end in silence: whatever was lost last, nothing that follows tells of it.
    const isSilent = isLast && random.fraction() < 0.5;
    timeline.after(0, () => storm.begin());
    if (isSilent && hasFaults) {
      timeline.after(stormMs - lastWordsMs, () => {
        if (random.fraction() < 0.6) storm.strike('bus-noise');
        workload.writeEverywhere();
      });
    }
    const killMs = stormMs * (1 - random.fraction() / 10);
    if (hasFaults) timeline.after(killMs, () => storm.killOwner());
    await pass(stormMs);
    timeline.after(0, () => {
      if (isSilent) workload.stop();
      storm.heal();
    });
    if (!isSilent) timeline.after(1_000, () => workload.writeEverywhere());
    await pass(lookMs);
    timeline.after(0, () => world.tellViews());
    await pass(calmMs - lookMs - lastMs);
    if (isLast) workload.stop();
    await pass(lastMs);
    if (isLast) break;
  }
  world.tellEnd();
}

function resultOf(world: SimWorld, storm: Storm, laws: readonly Law[]): SeedResult {
  const { timeline, history, profile, coverage } = world;
  const verdicts = laws.map((law) => ({
    law: law.name,
    ...law.verdict({ atMs: timeline.nowMs }),
  }));
  return {
    seed: profile.seed,
    violations: verdicts
      .filter(({ outcome }) => outcome === 'violated')
      .map(({ law, violations, counterexamples }) => ({ law, violations, counterexamples })),
    unjudged: verdicts.filter(({ outcome }) => outcome === 'unknown').map(({ law }) => law),
    faults: storm.injected,
    acknowledged: history.acknowledged,
    events: history.events,
    steps: timeline.events,
    simulatedMs: timeline.nowMs,
    coverage: coverage.read(),
    digest: history.digest(),
  };
}

/** A line of a node's log that no fault of the world explains. */
function surpriseOf(level: LogLevel, name: string, facts: LogFacts): string | null {
  if (name === 'document.quarantined') return `${facts.doc} was quarantined`;
  if (facts.code === 'INTERNAL') return `${name}: ${facts.message}`;
  if (level === 'error' && name !== 'subscriber.deaf') return name;
  return null;
}
