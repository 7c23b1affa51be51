import { BackplaneError } from '../../foundation/errors.ts';
import { compareValues } from './row-filter.ts';

export type RowOrder = (a: object, b: object) => number;

/** Reads `COLUMN` or `-COLUMN` (the greatest first), several joined by commas. Throws USAGE. */
export function parseRowOrder(text: string, keys: readonly string[]): RowOrder {
  const orders = text.split(',').map((part) => parseColumn(part.trim(), keys));
  return (a, b) => {
    for (const order of orders) {
      const decided = order(a, b);
      if (decided !== 0) return decided;
    }
    return 0;
  };
}

function parseColumn(text: string, keys: readonly string[]): RowOrder {
  const descending = text.startsWith('-');
  const key = descending ? text.slice(1) : text;
  if (!keys.includes(key)) {
    throw new BackplaneError('USAGE', `there is no column "${key}"`, {
      remedy: `use one of: ${keys.join(', ')}`,
    });
  }
  return (a, b) => {
    const left = (a as Record<string, unknown>)[key];
    const right = (b as Record<string, unknown>)[key];
    return descending && left !== null && right !== null
      ? compareValues(right, left)
      : compareValues(left, right);
  };
}
