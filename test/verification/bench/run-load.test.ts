import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../../src/foundation/errors.ts';
import { type Clock, sleep } from '../../../src/ports/clock.ts';
import { BenchTally } from '../../../src/verification/bench/bench-tally.ts';
import { type LoadShape, runLoad } from '../../../src/verification/bench/run-load.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

/** A second of load after half a second of warm-up; the work takes as long as `tookMs` says. */
async function load(shape: LoadShape, tookMs: (index: number) => number) {
  const clock = new VirtualClock();
  const tally = new BenchTally();
  const begun: number[] = [];
  const running = runLoad(
    { shape, warmUpMs: 500, durationMs: 1_000 },
    {
      ...{ clock, tally, answers: true, signal: new AbortController().signal },
      one: async (index) => {
        begun.push(clock.monotonicMs());
        await sleep(clock, tookMs(index));
        if (index % 100 === 99) throw new BackplaneError('OVERLOADED', 'every hundredth');
      },
    },
  );
  await clock.advance(10_000);
  await running;
  return { tally, begun };
}

describe('an open loop', () => {
  test('begins what is due, and counts only what was due while it was measured', async () => {
    const { tally, begun } = await load({ kind: 'open', rate: 1_000 }, () => 5);
    expect(begun).toHaveLength(1_500);
    expect(tally.done + tally.failed).toBe(1_000);
    expect(Object.fromEntries(tally.failures)).toEqual({ OVERLOADED: 10 });
    expect(tally.latency.figures()).toMatchObject({ p50Ms: expect.closeTo(5, 0) });
  });

  test('does not wait for an answer before the next is begun', async () => {
    const { tally, begun } = await load({ kind: 'open', rate: 100 }, () => 2_000);
    expect(begun.at(-1)).toBeLessThan(1_500);
    expect(tally.latency.figures().p50Ms).toBeCloseTo(2_000, -1);
  });

  test('counts the time that a work waited for its turn', async () => {
    const clock = new VirtualClock();
    let stalledMs = 0;
    // While this whole process is held up time passes, and no timer fires.
    const heldUp: Clock = {
      monotonicMs: () => clock.monotonicMs() + stalledMs,
      wallMs: () => clock.wallMs(),
      after: (delayMs, run) => clock.after(delayMs, run),
    };
    const tally = new BenchTally();
    const running = runLoad(
      { shape: { kind: 'open', rate: 100 }, warmUpMs: 0, durationMs: 1_000 },
      {
        ...{ clock: heldUp, tally, answers: true, signal: new AbortController().signal },
        one: async () => {
          stalledMs = 800;
        },
      },
    );
    await clock.advance(2_000);
    await running;
    const { p50Ms, maxMs } = tally.latency.figures();
    expect(maxMs).toBeGreaterThan(790);
    expect(p50Ms).toBeGreaterThan(250);
  });
});

describe('a closed loop', () => {
  test('has as many under way as it was told, and begins one when another ends', async () => {
    const { tally, begun } = await load({ kind: 'closed', concurrency: 4 }, () => 10);
    expect(begun.filter((at) => at === 0)).toHaveLength(4);
    expect(begun.length).toBeGreaterThan(550);
    expect(begun.length).toBeLessThanOrEqual(600);
    expect(tally.done).toBeLessThanOrEqual(400);
  });

  test('ends when it is told to', async () => {
    const clock = new VirtualClock();
    const ending = new AbortController();
    let begun = 0;
    const running = runLoad(
      { shape: { kind: 'closed', concurrency: 2 }, warmUpMs: 0, durationMs: 60_000 },
      {
        ...{ clock, tally: new BenchTally(), answers: true, signal: ending.signal },
        one: async () => {
          begun += 1;
          if (begun === 10) ending.abort();
          await sleep(clock, 1);
        },
      },
    );
    await clock.advance(100);
    await running;
    expect(begun).toBeLessThan(12);
  });
});
