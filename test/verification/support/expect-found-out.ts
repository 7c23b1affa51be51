import { expect } from 'vitest';
import { mutantOutcome } from './mutant-outcome.ts';
import type { Mutant } from './mutants.ts';

export const seedsOfMutants = 200;

/** Some seed finds the mutant out, by one of the laws that the mechanism exists for. */
export async function expectFoundOut({ name, laws, mutations }: Mutant): Promise<void> {
  const shape = { nodes: 5, hours: 0.1 };
  const outcome = await mutantOutcome({ mutations, seeds: seedsOfMutants, shape });
  expect(outcome.seed, 'the seed that finds it out').not.toBeNull();
  expect(
    outcome.laws.some((law) => laws.includes(law)),
    outcome.laws.join(', '),
  ).toBe(true);
  process.stdout.write(`${name}: ${outcome.laws.join(', ')} in seed ${outcome.seed}\n`);
}
