import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/verification/seeded-random.ts';
import {
  drawProfile,
  faultNames,
  type ProfileRequest,
} from '../../src/verification/simulation/fault-profile.ts';
import { runSeed } from '../../src/verification/simulation/run-seed.ts';
import { runSeeds } from '../../src/verification/simulation/seed-pool.ts';
import { replayLine, SimTally } from '../../src/verification/simulation/sim-report.ts';
import { Timeline } from '../../src/verification/simulation/timeline.ts';
import { guardWorld } from '../../src/verification/simulation/world-guard.ts';
import { regressions } from './support/regressions.ts';

/** Those that are told as a scenario are played with all the others. */
const seedsOnly = regressions.filter(({ scenario }) => !scenario);
/** Other seeds each day; a failure names its own, which stays the same. */
const firstOfToday = Math.floor(Date.now() / 86_400_000) * 1_000;
const seedsADay = 200;
const shape = { nodes: 5, hours: 0.1 } as const;

describe('a simulated cluster', () => {
  it('keeps every law in the seeds of the day', { timeout: 600_000 }, async () => {
    const tally = new SimTally();
    await runSeeds({
      seeds: { from: firstOfToday, to: firstOfToday + seedsADay - 1 },
      shape,
      workers: availableParallelism(),
      keepsGoing: true,
      signal: new AbortController().signal,
      finished: (result) => tally.add(result, { ...shape, seed: result.seed }),
    });
    const report = tally.report(1);
    expect(report.violations.map(({ law, claim, replay }) => ({ law, claim, replay }))).toEqual([]);
    expect(report.seedsRun).toBe(seedsADay);
    const { coverage } = report;
    const missed = Object.entries(coverage).filter(([name, count]) => count === 0 && !isRare(name));
    expect(missed).toEqual([]);
  });

  it.each(seedsOnly)('keeps $law in seed $found.seed: $story', {
    timeout: 120_000,
  }, async ({ found }) => {
    const { violations } = await runSeed(found);
    expect(violations.map(({ law, counterexamples }) => [law, counterexamples[0]?.claim])).toEqual(
      [],
    );
  });

  it('lives the same history again for the same seed', { timeout: 60_000 }, async () => {
    for (const seed of [3, 11, firstOfToday]) {
      const first = await runSeed({ ...shape, seed }, { hashed: true });
      const again = await runSeed({ ...shape, seed }, { hashed: true });
      expect(again.digest).toBe(first.digest);
      expect(again).toEqual(first);
    }
  });

  it('lives another history for another seed', { timeout: 60_000 }, async () => {
    const one = await runSeed({ ...shape, seed: 1 }, { hashed: true });
    const other = await runSeed({ ...shape, seed: 2 }, { hashed: true });
    expect(other.digest).not.toBe(one.digest);
  });

  it('says of a run without faults that it proves nothing', { timeout: 60_000 }, async () => {
    const request: ProfileRequest = { ...shape, seed: 1, faults: [] };
    const tally = new SimTally();
    tally.add(await runSeed(request), request);
    expect(tally.report(1)).toMatchObject({ outcome: 'inconclusive', ineffective: [1], faults: 0 });
  });

  it('draws worlds that differ in their faults', () => {
    const worlds = Array.from({ length: 200 }, (_, seed) =>
      drawProfile({ ...shape, seed }, new SeededRandom(seed)),
    );
    for (const name of faultNames) {
      const having = worlds.filter(({ faults }) => faults[name] !== undefined).length;
      expect(having, name).toBeGreaterThan(20);
      expect(having, name).toBeLessThan(150);
    }
  });

  it('names the line that shows a run again', () => {
    const request: ProfileRequest = { seed: 7, nodes: 3, hours: 0.25, peers: 2, faults: ['crash'] };
    expect(replayLine(request)).toBe(
      'backplane sim --seed 7 --hours 0.25 --nodes 3 --peers 2 --fault crash --trace',
    );
  });
});

describe('the guard of a world', () => {
  const trespasses: readonly [string, () => unknown][] = [
    ['Date.now', () => Date.now()],
    ['Math.random', () => Math.random()],
    ['performance.now', () => performance.now()],
    ['setTimeout', () => setTimeout(() => {}, 1)],
    ['setImmediate', () => setImmediate(() => {})],
    ['crypto.randomUUID', () => crypto.randomUUID()],
    ['fetch', () => fetch('http://127.0.0.1:1')],
  ];

  it.each(trespasses)('refuses %s, and names the caller', async (door, use) => {
    const timeline = new Timeline();
    const seen: unknown[] = [];
    const leave = guardWorld(timeline, (error) => seen.push(error));
    timeline.after(1, () => use());
    try {
      await expect(timeline.run(10, () => false)).rejects.toMatchObject({
        message: `${door} was used inside a simulated world`,
        facts: { caller: expect.stringContaining('simulation.test.ts') },
      });
    } finally {
      leave();
    }
    expect(seen).toHaveLength(1);
    expect(Date.now()).toBeGreaterThan(0);
  });

  it('runs ticks after all promises, and time after all ticks', async () => {
    const timeline = new Timeline();
    const order: string[] = [];
    const leave = guardWorld(timeline, () => {});
    timeline.after(1, () => {
      process.nextTick(() => order.push('tick'));
      void Promise.resolve()
        .then(() => order.push('promise'))
        .then(() => order.push('promise of a promise'));
      timeline.after(0, () => order.push('time'));
    });
    await timeline.run(10, () => false);
    leave();
    expect(order).toEqual(['promise', 'promise of a promise', 'tick', 'time']);
  });
});

/** What not every two hundred short worlds go through. */
function isRare(name: string): boolean {
  return ['takeoversByExpiry', 'appendsConflicting', 'sessionsExpired'].includes(name);
}
