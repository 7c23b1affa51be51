import { isBackplaneError } from '../../../../src/foundation/errors.ts';
import { knownFaults } from '../../../../src/verification/drills/known-faults.ts';
import { readScenario } from '../../../../src/verification/drills/read-scenario.ts';
import type { Scenario } from '../../../../src/verification/drills/scenario.ts';

export const options = { name: 'mine.yaml', faults: knownFaults };

/** A scenario with these lines below its name and summary. */
export function scenarioText(...lines: string[]): string {
  return ['name: mine', 'summary: it breaks something', ...lines, ''].join('\n');
}

export function read(...lines: string[]): Scenario {
  return readScenario(scenarioText(...lines), options);
}

/** What is said to be wrong with a text, line by line; fails when nothing is. */
export function problemsOf(text: string): string[] {
  return problemsIn(() => readScenario(text, options));
}

export function problemsIn(reads: () => unknown): string[] {
  try {
    reads();
  } catch (error) {
    if (!isBackplaneError(error, 'SCENARIO_INVALID')) throw error;
    const { problems } = error.facts as { problems: { text: string }[] };
    return problems.map(({ text }) => text);
  }
  throw new Error('nothing is said to be wrong');
}
