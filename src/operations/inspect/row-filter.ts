import { BackplaneError } from '../../foundation/errors.ts';
import { matchesGlob } from '../../foundation/glob.ts';

/** Decides about one row of a report, or one line of a stream. */
export type RowFilter = (row: object) => boolean;

type Comparison = '=' | '==' | '!=' | '~' | '!~' | '<' | '<=' | '>' | '>=';

const condition = /^\s*([A-Za-z][\w.-]*)\s*(!=|!~|<=|>=|==?|~|<|>)\s*(.*?)\s*$/s;

/**
 * Reads `KEY=VALUE` (or `==`), `!=`, `<`, `<=`, `>`, `>=`, and `~` or `!~` for a pattern with `*` and `?`;
 * `&&` joins conditions, and a dot reaches into a value: `payload.title=hello`. A key is checked
 * against `keys` when they are given. Throws USAGE.
 */
export function parseRowFilter(text: string, keys?: readonly string[]): RowFilter {
  const conditions = text.split('&&').map((part) => parseCondition(part, keys));
  return (row) => conditions.every((holds) => holds(row));
}

function parseCondition(text: string, keys?: readonly string[]): RowFilter {
  const [, path, comparison, wanted] = condition.exec(text) ?? [];
  if (path === undefined || wanted === undefined) {
    throw new BackplaneError('USAGE', `"${text}" is not a condition`, {
      remedy: 'write KEY=VALUE, KEY!=VALUE, KEY~PATTERN, KEY<NUMBER or KEY>NUMBER',
    });
  }
  const steps = path.split('.');
  if (keys && !keys.includes(steps[0] as string)) {
    throw new BackplaneError('USAGE', `there is no column "${steps[0]}"`, {
      remedy: `use one of: ${keys.join(', ')}`,
    });
  }
  return comparer(steps, comparison as Comparison, wanted);
}

function comparer(steps: readonly string[], comparison: Comparison, wanted: string): RowFilter {
  switch (comparison) {
    case '=':
    case '==':
      return (row) => asWritten(valueAt(row, steps)) === wanted;
    case '!=':
      return (row) => asWritten(valueAt(row, steps)) !== wanted;
    case '~':
      return (row) => matchesGlob(wanted, asWritten(valueAt(row, steps)));
    case '!~':
      return (row) => !matchesGlob(wanted, asWritten(valueAt(row, steps)));
    default:
      return orderComparer(steps, comparison, wanted);
  }
}

function orderComparer(
  steps: readonly string[],
  comparison: '<' | '<=' | '>' | '>=',
  wanted: string,
): RowFilter {
  const bound = wanted === '' ? Number.NaN : Number(wanted);
  return (row) => {
    const value = valueAt(row, steps);
    if (value === null || value === undefined) return false;
    const order = Number.isNaN(bound)
      ? compareValues(asWritten(value), wanted)
      : typeof value === 'number'
        ? value - bound
        : Number.NaN;
    if (comparison === '<') return order < 0;
    if (comparison === '<=') return order <= 0;
    return comparison === '>' ? order > 0 : order >= 0;
  };
}

/** Own keys only: a payload from the network decides what is there, never a prototype. */
function valueAt(row: unknown, steps: readonly string[]): unknown {
  let value = row;
  for (const step of steps) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, step)) return null;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

function asWritten(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value ?? null);
}

/** Numbers by size, text by code unit, whatever is absent last. */
export function compareValues(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const left = asWritten(a);
  const right = asWritten(b);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
