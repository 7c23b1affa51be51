import { expect, test } from 'vitest';
import { SiblingOps } from '../../../src/runtime/requests/sibling-ops.ts';

function underWay(...counters: number[]) {
  const siblings = new SiblingOps();
  for (const counter of counters) siblings.begin(counter);
  const went: number[] = [];
  const wait = (awaited: number, counter: number) => {
    void siblings.after(awaited, counter)?.then(() => went.push(counter));
  };
  return { siblings, went, wait };
}

test('those that wait follow in order, whoever came first', async () => {
  const { siblings, went, wait } = underWay(1, 2, 3, 4);
  for (const counter of [4, 2, 3]) wait(1, counter);
  siblings.applied(1);
  siblings.end(1);
  await Promise.resolve();
  expect(went).toEqual([2, 3, 4]);
});

test('whoever waits for one that failed sees for itself', async () => {
  const { siblings, went, wait } = underWay(1, 2);
  wait(1, 2);
  siblings.end(1);
  await Promise.resolve();
  expect(went).toEqual([2]);
});

test('one that is on its way twice is under way until both have ended', async () => {
  const { siblings, went, wait } = underWay(1, 1, 2);
  wait(1, 2);
  siblings.end(1);
  await Promise.resolve();
  expect([siblings.isUnderWay(1), went]).toEqual([true, []]);
  siblings.end(1);
  await Promise.resolve();
  expect([siblings.isUnderWay(1), went]).toEqual([false, [2]]);
});

test('nobody waits for what is over, or for itself', () => {
  const { siblings } = underWay(1, 2);
  expect(siblings.after(2, 2)).toBeNull();
  expect(siblings.after(9, 2)).toBeNull();
  siblings.applied(1);
  expect(siblings.after(1, 2)).toBeNull();
});

test('they are held up while one rests or waits', async () => {
  const { siblings, wait } = underWay(1, 2);
  expect(siblings.isHeldUp).toBe(false);
  const pause = Promise.withResolvers<void>();
  const rested = siblings.rest(() => pause.promise);
  expect(siblings.isHeldUp).toBe(true);
  pause.resolve();
  await rested;
  expect(siblings.isHeldUp).toBe(false);
  wait(1, 2);
  expect(siblings.isHeldUp).toBe(true);
  siblings.applied(1);
  expect(siblings.isHeldUp).toBe(false);
});
