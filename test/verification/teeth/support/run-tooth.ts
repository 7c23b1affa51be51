import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drillMachine } from '../../../../src/drill-machine.ts';
import { SystemClock } from '../../../../src/drivers/system/system-clock.ts';
import { SystemRandom } from '../../../../src/drivers/system/system-random.ts';
import { silentLogger } from '../../../../src/ports/logger.ts';
import type { Drill } from '../../../../src/verification/drills/drill.ts';
import type { DrillDoors } from '../../../../src/verification/drills/drill-doors.ts';
import type { DrillReport } from '../../../../src/verification/drills/drill-report.ts';
import { knownFaults } from '../../../../src/verification/drills/known-faults.ts';
import { checkScenario } from '../../../../src/verification/drills/read-scenario.ts';
import { runDrill } from '../../../../src/verification/drills/run-drill.ts';
import { mutantNamed } from './mutants.ts';

/** Something besides the steps that a test does to the cluster of its drill. */
export interface Interference {
  doors?(doors: DrillDoors): DrillDoors;
  watch?(drill: Drill): void;
}

/**
 * Runs a drill, from the sources, on a cluster of real nodes, from `dist`, that lack the mechanism
 * a mutant takes out; with none, on the nodes as they are. The scenario is written as users do.
 */
export async function drillWithout(
  mutant: string | null,
  scenario: object,
  { doors: changed = (doors) => doors, watch = () => {} }: Interference = {},
): Promise<DrillReport> {
  const name = mutant ?? 'whole';
  const folder = await mkdtemp(join(tmpdir(), 'backplane-tooth-'));
  const random = new SystemRandom();
  const machine = { clock: new SystemClock(), random, logger: silentLogger };
  const doors = drillMachine(machine, { ...process.env, NODE_OPTIONS: nodeOptions(mutant) });
  try {
    const done = await runDrill(
      {
        scenario: checkScenario(
          { summary: name, proves: '', elsewhere: '', ...scenario, name },
          {
            ...{ name, faults: knownFaults },
          },
        ),
        ...{ run: random.token(4), seed: 1, where: 'redis', token: null, replay: '' },
        history: process.env.TOOTH_HISTORY ?? join(folder, 'history.jsonl'),
      },
      changed(doors),
      watch,
      new AbortController().signal,
    );
    return done.report;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The laws that were broken. */
export function brokenLaws({ laws }: DrillReport): string[] {
  return laws.filter(({ outcome }) => outcome === 'violated').map(({ law }) => law);
}

/** For the message of a test that fails. */
export function explain({ outcome, reason, laws, faults }: DrillReport): string {
  return JSON.stringify(
    {
      ...{ outcome, reason, faults },
      laws: laws.map(({ law, outcome: how, detail, counterexamples: [first] }) => {
        return { law, how, detail, claim: first?.claim, events: first?.events };
      }),
    },
    null,
    1,
  );
}

function nodeOptions(mutant: string | null): string | undefined {
  const given = process.env.NODE_OPTIONS;
  if (mutant === null) return given;
  mutantNamed(mutant);
  const hook = new URL('./mutant-hook.ts', import.meta.url);
  hook.searchParams.set('mutant', mutant);
  return `${given ?? ''} --import ${hook.href}`.trim();
}
