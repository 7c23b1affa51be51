import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SessionDeadline, trustedMs } from '../../../src/runtime/sessions/session-deadline.ts';

const at = (monotonicMs: number, wallMs: number) => ({ monotonicMs, wallMs });
const ttlMs = 30_000;
const trust = trustedMs(ttlMs);

function renewedAt(monotonicMs: number, wallMs: number): SessionDeadline {
  const deadline = new SessionDeadline();
  deadline.renewed(at(monotonicMs, wallMs), ttlMs);
  return deadline;
}

test('a session is trusted for 99 % of its TTL less 50 ms', () => {
  expect(trust).toBe(29_650);
});

test('a session that was never renewed is not trusted', () => {
  expect(new SessionDeadline().isValid(at(0, 0))).toBe(false);
});

describe('a session renewed at monotonic 1,000 and wall 5,000', () => {
  test.each([
    ['just after', 1_000, 5_000, true],
    ['just before the end', 1_000 + trust - 1, 5_000 + trust - 1, true],
    ['at the end', 1_000 + trust, 5_000 + trust, false],
    ['when only the monotonic clock went on', 1_000 + trust, 5_000, false],
    ['when only the wall clock went on: the machine slept', 1_001, 5_000 + trust, false],
    ['when the wall clock was put back, and little time passed', 2_000, 0, true],
    ['when the wall clock was put back, and much time passed', 1_000 + trust, 0, false],
  ])('%s', (_when, monotonicMs, wallMs, valid) => {
    expect(renewedAt(1_000, 5_000).isValid(at(monotonicMs, wallMs))).toBe(valid);
  });
});

test('a renewal that was sent earlier never shortens the trust, however late its answer comes', () => {
  const deadline = renewedAt(10_000, 10_000);
  deadline.renewed(at(5_000, 5_000), ttlMs);
  expect(deadline.isValid(at(10_000 + trust - 1, 10_000 + trust - 1))).toBe(true);
});

test('a wall clock put forward and back again is forgiven with the next renewal', () => {
  const deadline = renewedAt(0, 0);
  deadline.renewed(at(5_000, 3_605_000), ttlMs);
  deadline.renewed(at(10_000, 10_000), ttlMs);
  expect(deadline.isValid(at(11_000, 11_000))).toBe(true);
  expect(deadline.isValid(at(11_000, 10_000 + trust))).toBe(false);
});

test('trust always ends before the TTL does, by either clock', () => {
  const times = fc.integer({ min: 0, max: 10_000_000 });
  fc.assert(
    fc.property(times, times, fc.integer({ min: 100, max: 600_000 }), (mono, wall, ttl) => {
      const deadline = new SessionDeadline();
      deadline.renewed(at(mono, wall), ttl);
      expect(deadline.isValid(at(mono + ttl, wall))).toBe(false);
      expect(deadline.isValid(at(mono, wall + ttl))).toBe(false);
    }),
  );
});
