import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Lateness } from '../../../src/runtime/requests/lateness.ts';

/** Our wall clock is ahead of the sender's by this much. */
const skewMs = 47_000;

describe('a frame', () => {
  test('that is the first of its origin cannot be known to have waited', () => {
    expect(new Lateness().waitedMs('a', 0, skewMs + 20_000)).toBe(0);
  });

  test('that took longer than the fastest before it has waited for the difference', () => {
    const lateness = new Lateness();
    lateness.waitedMs('a', 0, skewMs + 5);
    expect(lateness.waitedMs('a', 1_000, 1_000 + skewMs + 16_005)).toBe(16_000);
  });

  test('that was faster than any before it shows how long those had waited', () => {
    const lateness = new Lateness();
    lateness.waitedMs('a', 0, skewMs + 9_000);
    expect(lateness.waitedMs('a', 10_000, 10_000 + skewMs)).toBe(0);
    expect(lateness.waitedMs('a', 11_000, 11_000 + skewMs + 4_000)).toBe(4_000);
  });

  test('is judged by its own origin only', () => {
    const lateness = new Lateness();
    lateness.waitedMs('a', 0, 0);
    expect(lateness.waitedMs('b', 0, 60_000)).toBe(0);
  });
});

test('all that queued up while we stood still has waited, each for as long as it lay there', () => {
  const lateness = new Lateness();
  lateness.waitedMs('a', 0, skewMs);
  const resumedAt = 60_000 + skewMs;
  for (let sentAt = 1_000; sentAt <= 60_000; sentAt += 500) {
    expect(lateness.waitedMs('a', sentAt, resumedAt)).toBe(60_000 - sentAt);
  }
  expect(lateness.waitedMs('a', 60_500, resumedAt + 500)).toBe(0);
});

describe.each([
  ['forwards, ours', 3_600_000],
  ['a little forwards, ours', 20_000],
])('a clock that was set %s', (_which, byMs) => {
  test('does not make every later frame late for ever', () => {
    const lateness = new Lateness();
    for (let at = 0; at < 5_000; at += 100) lateness.waitedMs('a', at, at + skewMs);
    const verdicts: number[] = [];
    for (let at = 5_000; at < 15_000; at += 100) {
      verdicts.push(lateness.waitedMs('a', at, at + skewMs + byMs));
    }
    expect(verdicts[0]).toBe(byMs);
    expect(verdicts.slice(31).every((waited) => waited === 0)).toBe(true);
    // And a frame that really waits is noticed again.
    expect(lateness.waitedMs('a', 15_000, 15_000 + skewMs + byMs + 16_000)).toBe(16_000);
  });
});

test('a clock that was set back makes no frame late', () => {
  const lateness = new Lateness();
  lateness.waitedMs('a', 0, skewMs);
  expect(lateness.waitedMs('a', 1_000, 1_000 + skewMs - 30_000)).toBe(0);
});

test('no frame ever waited for less than nothing or longer than since it was sent by the fastest', () => {
  const frame = fc.record({ gapMs: fc.nat(5_000), delayMs: fc.nat(30_000) });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 60 }), (frames) => {
      const lateness = new Lateness();
      let sentAt = 0;
      for (const { gapMs, delayMs } of frames) {
        sentAt += gapMs;
        const waited = lateness.waitedMs('a', sentAt, sentAt + skewMs + delayMs);
        expect(waited).toBeGreaterThanOrEqual(0);
        expect(waited).toBeLessThanOrEqual(delayMs);
      }
    }),
  );
});

test('thousands of origins do not fill the memory, and the one in use is kept', () => {
  const lateness = new Lateness();
  lateness.waitedMs('kept', 0, 0);
  for (let index = 0; index < 5_000; index++) {
    lateness.waitedMs(`origin-${index}`, 0, 0);
    expect(lateness.waitedMs('kept', 0, 0)).toBe(0);
  }
  expect(lateness.waitedMs('kept', 0, 9_000)).toBe(9_000);
});
