import { describe, expect, test } from 'vitest';
import { lawPromises } from '../../../../src/verification/law-book.ts';
import { type MutantName, mutants } from './mutants.ts';
import { brokenLaws, drillWithout, explain, type Interference } from './run-tooth.ts';

/** A short drill, and what it must show when a mechanism is missing. */
export interface Bite {
  readonly drill: string;
  readonly scenario: object;
  readonly interfere?: () => Interference;
  /** By the mutant that lacks the mechanism: the law that is then violated. */
  readonly teeth: Readonly<Partial<Record<MutantName, string>>>;
  /** Laws that what the test does to the drill breaks by itself; none, as a rule. */
  readonly given?: readonly string[];
  /** Laws that it breaks, or not, as it happens. */
  readonly possible?: readonly string[];
}

/** A drill is several processes, and mostly waits; more at once would starve each other. */
const drillsAtOnce = 2;
const timeoutMs = 240_000;

/**
 * Runs each drill on the program as it is, where every law must hold, and once without each
 * mechanism, where the law must see it. On a machine that is busy a drill may go otherwise than it
 * was meant to, or a node may not start in time, so each has three tries.
 */
export function biteWith(bites: readonly Bite[]): void {
  const inTurn = turns(drillsAtOnce);
  const laws = lawPromises.map(([name]) => name);
  const options = { concurrent: true, retry: 2, timeout: timeoutMs };
  describe.each(bites)('$drill', ({ scenario, teeth, interfere = () => ({}), ...allowed }) => {
    const { given = [], possible = [] } = allowed;
    test('holds every law with all mechanisms in place', options, async () => {
      const report = await inTurn(() => drillWithout(null, scenario, interfere()));
      const broken = brokenLaws(report).filter((law) => !possible.includes(law));
      expect(broken, explain(report)).toEqual(given);
      if (given.length === 0) expect(report.outcome, explain(report)).toBe('pass');
    });

    for (const [mutant, law] of Object.entries(teeth)) {
      const { mechanism, without } = mutants[mutant as MutantName];
      test(`shows by ${law}, without ${mechanism}: ${without}`, options, async () => {
        expect(laws).toContain(law);
        const report = await inTurn(() => drillWithout(mutant, scenario, interfere()));
        expect(brokenLaws(report), explain(report)).toContain(law);
      });
    }
  });
}

/** At most that many at once, in the order in which they were asked for. */
function turns(atOnce: number): <T>(run: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  return async (run) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
