import { expect } from 'vitest';
import type { Clock } from '../../src/ports/clock.ts';
import { repeat, sleep } from '../../src/ports/clock.ts';
import { type Fixture, type LawOptions, lawSuite, needs, until } from './law-suite.ts';

export interface ClockFixture extends Fixture {
  readonly clock: Clock;
  /** Sets the wall clock forwards or back, as an operator or NTP would. */
  jumpWall?(byMs: number): void;
}

/** The laws of `ports/clock.ts`. */
export function clockLaws(
  name: string,
  open: () => Promise<ClockFixture>,
  options: LawOptions = {},
): void {
  lawSuite(`the clock ${name}`, open, options, (law, scaleMs) => {
    law(
      '1. monotonicMs never goes back, and says how much time passed',
      async ({ clock, pass }) => {
        const startMs = clock.monotonicMs();
        let lastMs = startMs;
        for (let step = 0; step < 1_000; step++) {
          const nowMs = clock.monotonicMs();
          expect(nowMs).toBeGreaterThanOrEqual(lastMs);
          lastMs = nowMs;
        }
        await pass(scaleMs);
        // A timer of the machine may be a millisecond early.
        expect(clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(scaleMs - 1);
      },
    );

    law(
      '2. wallMs is a time to show people, and goes on with the time that passes',
      async (fixture) => {
        const { clock, pass } = fixture;
        const wallMs = clock.wallMs();
        const monotonicMs = clock.monotonicMs();
        expect(new Date(wallMs).getUTCFullYear()).toBeGreaterThanOrEqual(2025);
        await pass(scaleMs);
        const driftMs = clock.wallMs() - wallMs - (clock.monotonicMs() - monotonicMs);
        expect(Math.abs(driftMs)).toBeLessThan(scaleMs);
      },
    );

    law(
      '2. a jump of the wall clock leaves the monotonic clock and the timers alone',
      async (fixture) => {
        const { clock, pass } = fixture;
        const jumpWall = needs(fixture.jumpWall, 'jump its wall clock');
        let fired = false;
        clock.after(scaleMs, () => {
          fired = true;
        });
        for (const byMs of [3_600_000, -7_200_000]) {
          const wallMs = clock.wallMs();
          const monotonicMs = clock.monotonicMs();
          jumpWall(byMs);
          expect(Math.abs(clock.wallMs() - wallMs - byMs)).toBeLessThan(scaleMs);
          expect(clock.monotonicMs() - monotonicMs).toBeLessThan(scaleMs);
        }
        expect(fired).toBe(false);
        await pass(2 * scaleMs);
        expect(fired).toBe(true);
      },
    );

    law('3. a timer fires once, and not before its delay', async (fixture) => {
      const { clock, pass } = fixture;
      const lateness: number[] = [];
      const delays = [0, 1, 2, 3, 5, scaleMs / 2, scaleMs];
      for (const delayMs of delays) {
        const dueMs = clock.monotonicMs() + delayMs;
        clock.after(delayMs, () => lateness.push(clock.monotonicMs() - dueMs));
      }
      await until(fixture, 'every timer', () => lateness.length === delays.length);
      await pass(scaleMs);
      expect(lateness).toHaveLength(delays.length);
      expect(Math.min(...lateness)).toBeGreaterThanOrEqual(0);
    });

    law('3. a timer never fires within the call that sets it', async (fixture) => {
      let fired = false;
      fixture.clock.after(0, () => {
        fired = true;
      });
      expect(fired).toBe(false);
      await until(fixture, 'the timer', () => fired);
    });

    law(
      '3. a cancelled timer never fires, and to cancel twice or too late does no harm',
      async (fixture) => {
        const { clock, pass } = fixture;
        const fired: string[] = [];
        const cancelled = clock.after(scaleMs / 2, () => fired.push('cancelled'));
        const kept = clock.after(scaleMs / 2, () => fired.push('kept'));
        cancelled.cancel();
        cancelled.cancel();
        await until(fixture, 'the timer that was kept', () => fired.includes('kept'));
        kept.cancel();
        await pass(scaleMs);
        expect(fired).toEqual(['kept']);
      },
    );

    law('3. a timer of more than 2^31 ms does not fire at once', async ({ clock, pass }) => {
      let fired = false;
      const timers = [2 ** 31, 2 ** 32 + 5, 400 * 86_400_000].map((delayMs) => {
        return clock.after(delayMs, () => {
          fired = true;
        });
      });
      await pass(scaleMs);
      for (const timer of timers) timer.cancel();
      expect(fired).toBe(false);
    });

    law('sleep ends by itself, or early when its signal is aborted', async (fixture) => {
      const { clock } = fixture;
      const ended: string[] = [];
      const abort = new AbortController();
      void sleep(clock, scaleMs / 2).then(() => ended.push('slept'));
      void sleep(clock, 86_400_000, abort.signal).then(() => ended.push('aborted'));
      await until(fixture, 'the end of the sleep', () => ended.length === 1);
      abort.abort();
      await until(fixture, 'the end of the aborted sleep', () => ended.length === 2);
      await sleep(clock, 86_400_000, abort.signal);
      expect(ended).toEqual(['slept', 'aborted']);
    });

    law('repeat goes on until it is cancelled', async (fixture) => {
      const { clock, pass } = fixture;
      let steps = 0;
      const repeating = repeat(
        clock,
        () => 1,
        () => {
          steps += 1;
        },
      );
      await until(fixture, 'three steps', () => steps >= 3);
      repeating.cancel();
      const stepsThen = steps;
      await pass(scaleMs);
      expect(steps).toBe(stepsThen);
    });
  });
}
