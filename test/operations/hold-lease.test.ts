import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../src/foundation/errors.ts';
import { holdLease } from '../../src/operations/act/hold-lease.ts';
import { sleep } from '../../src/ports/clock.ts';
import { ManualClock } from './support/manual-clock.ts';

function ownerNode() {
  const owned = { epoch: 7 as number | null, released: 0 };
  const node = {
    nodeId: 'node-a',
    acquire: async () => ({ epoch: 7, session: 's' }),
    ownedEpoch: () => owned.epoch,
    release: async () => {
      owned.released++;
      owned.epoch = null;
      return { epoch: 7 };
    },
  };
  return { owned, parts: { node, clock: new ManualClock() } };
}

describe('holding a lease', () => {
  test('gives the document up when what runs under it has ended, well or not', async () => {
    const well = ownerNode();
    expect(await holdLease(well.parts, 'd', async ({ epoch }) => epoch + 1)).toBe(8);
    expect(well.owned.released).toBe(1);
    const badly = ownerNode();
    const failing = holdLease(badly.parts, 'd', async () => {
      throw new BackplaneError('COMMAND_FAILED', 'it exited with 3');
    });
    await expect(failing).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
    expect(badly.owned.released).toBe(1);
  });

  test.each([null, 8])('tells it of the loss when the owned epoch becomes %s', async (epoch) => {
    const { owned, parts } = ownerNode();
    let toldAtMs = Number.NaN;
    const holding = holdLease(parts, 'd', async (_held, lost) => {
      await sleep(parts.clock, 1_000);
      owned.epoch = epoch;
      const lostAtMs = parts.clock.monotonicMs();
      await new Promise((resolve) => lost.addEventListener('abort', resolve, { once: true }));
      toldAtMs = parts.clock.monotonicMs() - lostAtMs;
    });
    await expect(holding).rejects.toMatchObject({ code: 'LEASE_LOST', facts: { epoch: 7 } });
    expect(toldAtMs).toBeLessThanOrEqual(50);
    expect(owned.released).toBe(0);
  });

  test('does not call it success when the lease was lost in the last moment', async () => {
    const { owned, parts } = ownerNode();
    const holding = holdLease(parts, 'd', async () => {
      owned.epoch = null;
    });
    await expect(holding).rejects.toMatchObject({ code: 'LEASE_LOST' });
  });
});
