import { BackplaneError } from '../../foundation/errors.ts';

/** Something that is wrong with a scenario, and where. */
export interface ScenarioProblem {
  readonly message: string;
  /** Keys and indexes from the top to what is wrong; not all of it need be there. */
  readonly path: readonly (string | number)[];
  /** The key itself is wrong, not its value. */
  readonly atKey: boolean;
}

/** A place in a text, both numbers from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** A problem as people and programs see it. */
export interface PlacedProblem extends Partial<TextPlace> {
  /** `file.yaml:12:5: what is wrong`. */
  readonly text: string;
  /** `steps[2].for`; empty for the whole. */
  readonly path: string;
}

/** More than these are not worth reading before the first are mended. */
const problemsMax = 20;

/** The problems of one scenario as one error: the first is its message, all are in its facts. */
export function scenarioInvalid(
  name: string,
  problems: readonly ScenarioProblem[],
  placeOf: ((problem: ScenarioProblem) => TextPlace) | null,
): BackplaneError {
  const placed = problems
    .slice(0, problemsMax)
    .map((problem) => asPlaced(name, problem, placeOf?.(problem) ?? null))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  return new BackplaneError('SCENARIO_INVALID', placed[0]?.text ?? name, {
    facts: { problems: placed },
  });
}

function asPlaced(
  name: string,
  { message, path }: ScenarioProblem,
  place: TextPlace | null,
): PlacedProblem {
  const where = pathText(path);
  if (place !== null) {
    return { text: `${name}:${place.line}:${place.column}: ${message}`, path: where, ...place };
  }
  return { text: [name, where, message].filter((part) => part !== '').join(': '), path: where };
}

function pathText(path: readonly (string | number)[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .replace(/^\./, '');
}
