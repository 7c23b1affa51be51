import { parseDurationMs } from '../foundation/duration.ts';
import { BackplaneError } from '../foundation/errors.ts';
import { type Budgets, budgetNames } from '../verification/budgets.ts';
import type { FigureBudgets } from '../verification/drills/scenario.ts';

/** Those of the laws, and on the latency of ops. */
export const budgetNamesOfDrills: readonly string[] = [...budgetNames, 'p50', 'p99'];

/** Reads `recovery=1s`, or several with commas between them. */
export function parseBudget(text: string): Partial<Budgets> {
  return read(text, budgetNames);
}

/** The same with the budgets of drills. */
export function parseDrillBudget(text: string): FigureBudgets {
  return read(text, budgetNamesOfDrills);
}

function read(text: string, names: readonly string[]): Record<string, number> {
  const parts = text.split(',').map((part): [string, number] => {
    const [name = '', value, ...more] = part.split('=');
    if (!names.includes(name) || value === undefined || more.length > 0) {
      throw new BackplaneError('USAGE', `"${part}" is no budget`, {
        remedy: `write NAME=DURATION; the names are ${names.join(', ')}`,
      });
    }
    return [`${name}Ms`, parseDurationMs(value)];
  });
  return Object.fromEntries(parts);
}
