import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkDials,
  defaultDials,
  type NodeDials,
  renewalTimeoutMs,
} from '../../../src/runtime/node-settings.ts';
import { trustedMs } from '../../../src/runtime/sessions/session-deadline.ts';

const refused = (change: Partial<NodeDials>) => {
  return () => checkDials({ ...defaultDials, ...change });
};

test('the defaults go together', () => {
  expect(refused({})).not.toThrow();
});

describe('dials that contradict each other are CONFIG_INVALID', () => {
  test.each([
    ['a TTL without room for three heartbeats', { leaseTtlMs: 10_000, heartbeatMs: 5_000 }],
    ['a TTL of exactly three heartbeats', { leaseTtlMs: 15_000, heartbeatMs: 5_000 }],
    ['three heartbeats, and no time for the last to be answered', { leaseTtlMs: 16_500 }],
    ['a TTL that is all clock margin', { leaseTtlMs: 50, heartbeatMs: 1, nodeTimeoutMs: 10 }],
    ['a node timeout between two heartbeats', { nodeTimeoutMs: 9_999 }],
  ])('%s', (_what, change) => {
    expect(refused(change)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  test.each(Object.keys(defaultDials))('a %s of 0, less, or no number', (name) => {
    for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(refused({ [name]: value })).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', certainty: 'definite' }),
      );
    }
  });
});

test.each([
  ['a short TTL for tests', { leaseTtlMs: 3_000, heartbeatMs: 500, nodeTimeoutMs: 2_000 }],
  ['a long one', { leaseTtlMs: 600_000, heartbeatMs: 60_000, nodeTimeoutMs: 300_000 }],
])('%s is accepted', (_what, change) => {
  expect(refused(change)).not.toThrow();
});

test('whatever is accepted leaves time for two renewals to fail and a third to be answered', () => {
  const anyMs = fc.integer({ min: 1, max: 100_000 });
  fc.assert(
    fc.property(anyMs, anyMs, anyMs, (leaseTtlMs, heartbeatMs, nodeTimeoutMs) => {
      const dials = { ...defaultDials, leaseTtlMs, heartbeatMs, nodeTimeoutMs };
      try {
        checkDials(dials);
      } catch {
        return;
      }
      expect(3 * heartbeatMs + renewalTimeoutMs(dials)).toBeLessThan(trustedMs(leaseTtlMs));
      expect(nodeTimeoutMs).toBeGreaterThanOrEqual(2 * heartbeatMs);
    }),
    { numRuns: 3_000 },
  );
});
