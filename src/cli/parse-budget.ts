import { parseDurationMs } from '../foundation/duration.ts';
import { BackplaneError } from '../foundation/errors.ts';
import { type Budgets, budgetNames } from '../verification/budgets.ts';

/** Reads `recovery=1s`, or several with commas between them. */
export function parseBudget(text: string): Partial<Budgets> {
  const parts = text.split(',').map((part): [string, number] => {
    const [name = '', value, ...more] = part.split('=');
    if (!budgetNames.includes(name) || value === undefined || more.length > 0) {
      throw new BackplaneError('USAGE', `"${part}" is no budget`, {
        remedy: `write NAME=DURATION; the names are ${budgetNames.join(', ')}`,
      });
    }
    return [`${name}Ms`, parseDurationMs(value)];
  });
  return Object.fromEntries(parts);
}
