import { expect, test } from 'vitest';
import type { BackplaneNode } from '../../../src/runtime/node.ts';
import type { BenchGround } from '../../../src/verification/bench/bench-work.ts';
import { openLeaseWork } from '../../../src/verification/bench/works/lease-work.ts';

test('every piece of work acquires a document, and no two the same at once', async () => {
  const held = new Set<string>();
  let acquired = 0;
  let most = 0;
  const node: Pick<BackplaneNode, 'acquire' | 'release'> = {
    async acquire(doc) {
      expect(held).not.toContain(doc);
      held.add(doc);
      acquired += 1;
      most = Math.max(most, held.size);
      return { epoch: 1, session: 's' };
    },
    async release(doc) {
      await new Promise((resolve) => setImmediate(resolve));
      held.delete(doc);
      return { epoch: 1 };
    },
  };
  const ground = { host: async () => node } as unknown as BenchGround;
  const plan = { documents: 2, payloadBytes: 0, followers: 1, lanes: 4, prefix: 'bench' };
  const work = await openLeaseWork(ground, plan);
  // An open loop begins what is due, however many are under way.
  await Promise.all(Array.from({ length: 50 }, (_, index) => work.one(index, 0)));
  expect(acquired).toBe(50);
  expect(most).toBeGreaterThan(4);
});
