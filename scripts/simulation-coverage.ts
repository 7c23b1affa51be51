import { test } from 'node:test';
import { runSeed } from '../src/verification/simulation/run-seed.ts';

// How much of the runtime simulated worlds reach, by themselves: `npm run sim:coverage`.
const seeds = Number(process.env.SEEDS ?? 300);

test(`${seeds} worlds of six minutes`, async () => {
  for (let seed = 1; seed <= seeds; seed++) {
    const { violations } = await runSeed({ seed, nodes: 5, hours: 0.1 });
    if (violations.length > 0) throw new Error(`seed ${seed} violates ${violations[0]?.law}`);
  }
});
