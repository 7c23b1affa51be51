import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/verification/seeded-random.ts';
import {
  drawProfile,
  type ProfileRequest,
} from '../../src/verification/simulation/fault-profile.ts';
import type { MutantOutcome, MutantRequest } from './support/mutant-run.ts';
import { type Mutant, mutants } from './support/mutants.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('./support/mutant-run.ts', import.meta.url));
const seeds = 200;

describe('a run that fails', () => {
  it('is made smaller, and violates the same law', { timeout: 300_000 }, async () => {
    const mutant = mutants.find(({ name }) => name === 'ops are not deduplicated') as Mutant;
    const shape = { nodes: 5, hours: 0.1 };
    const request = { mutations: mutant.mutations, seeds, shape, shrinkAttempts: 40 };
    const { seed, laws, shrunk } = await outcomeOf(request);
    expect(shrunk?.laws).toContain(laws[0]);
    const sizeOf = (smaller: ProfileRequest) => {
      const profile = drawProfile(smaller, new SeededRandom(smaller.seed));
      const { nodes, peers, documents, faults } = profile;
      return nodes + peers + documents + Object.keys(faults).length;
    };
    const found = { ...shape, seed: seed ?? 0 };
    expect(sizeOf(shrunk?.request ?? found)).toBeLessThan(sizeOf(found));
    process.stdout.write(`shrunk to ${JSON.stringify(shrunk?.request)}\n`);
  });
});

async function outcomeOf(request: MutantRequest): Promise<MutantOutcome> {
  const { stdout } = await run(process.execPath, [program, JSON.stringify(request)]);
  return JSON.parse(stdout);
}

describe('a mechanism that is missing', () => {
  it.each(mutants)('is found out: $name', { timeout: 600_000 }, async (mutant) => {
    const request: MutantRequest = {
      mutations: mutant.mutations,
      seeds,
      shape: { nodes: 5, hours: 0.1 },
    };
    const outcome = await outcomeOf(request);
    expect(outcome.seed, 'the seed that finds it out').not.toBeNull();
    expect(
      outcome.laws.some((law) => mutant.laws.includes(law)),
      outcome.laws.join(', '),
    ).toBe(true);
    process.stdout.write(`${mutant.name}: ${outcome.laws.join(', ')} in seed ${outcome.seed}\n`);
  });
});
