import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/verification/seeded-random.ts';
import {
  drawProfile,
  type ProfileRequest,
} from '../../../src/verification/simulation/fault-profile.ts';
import { seedsOfMutants as seeds } from '../support/expect-found-out.ts';
import { mutantOutcome } from '../support/mutant-outcome.ts';
import { type Mutant, mutants } from '../support/mutants.ts';

describe('a run that fails', () => {
  it('is made smaller, and violates the same law', { timeout: 300_000 }, async () => {
    const mutant = mutants.find(({ name }) => name === 'ops are not deduplicated') as Mutant;
    const shape = { nodes: 5, hours: 0.1 };
    const request = { mutations: mutant.mutations, seeds, shape, shrinkAttempts: 40 };
    const { seed, laws, shrunk } = await mutantOutcome(request);
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
