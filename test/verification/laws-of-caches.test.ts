import { describe, expect, test } from 'vitest';
import { outcomeOf, rejected, verdictOf } from './support/law-verdicts.ts';

const law = 'stale-caches-end';
const budgets = { cacheMs: 1_000 };
const change = (key: string, version: number, t = 0) => {
  return { t, ev: 'cache.change', region: 'r', key, version };
};
const evicted = (scope: string, key: string, version: number, t: number) => {
  return { t, ev: 'cache.evicted', region: 'r', scope, key, version };
};
const ask = (id: string, key: string, t: number) => {
  return { t, ev: 'cache.ask', id, nodeId: 'n1', region: 'r', key };
};
const answer = (id: string, version: number, t: number) => ({ t, ev: 'cache.answer', id, version });

describe('stale-caches-end', () => {
  test('accepts old values within the bound, and new ones at any time', async () => {
    const history = [
      ...[change('a', 1), change('b', 2), change('a', 3, 100), evicted('key', 'a', 3, 200)],
      ...[ask('1', 'a', 300), answer('1', 3, 310), ask('2', 'a', 1_200), answer('2', 1, 1_210)],
      ...[ask('3', 'a', 1_211), answer('3', 3, 1_212), ask('4', 'b', 5_000), answer('4', 2, 5_001)],
    ];
    expect(await verdictOf(law, history, budgets)).toMatchObject({ outcome: 'holds', checked: 1 });
  });

  test('rejects an old value after the bound, by key, prefix and region', async () => {
    for (const [scope, key] of [
      ['key', 'u:1'],
      ['prefix', 'u:'],
      ['region', ''],
    ] as const) {
      const history = [
        ...[change('u:1', 1), change('u:1', 2, 100), evicted(scope, key, 2, 200)],
        ...[ask('1', 'u:1', 1_201), answer('1', 1, 1_202)],
      ];
      expect(await rejected(law, history, budgets)).toEqual([4, 5, 6]);
    }
  });

  test('counts from when a node was asked, not from when it answered', async () => {
    const history = [
      ...[change('a', 1), change('a', 2, 100), ask('1', 'a', 1_100)],
      ...[evicted('key', 'a', 2, 150), answer('1', 1, 9_000)].map((e, i) => ({
        ...e,
        t: 1_150 + i,
      })),
    ];
    expect(await outcomeOf(law, history, budgets)).toBe('unknown');
  });

  test('does not ask for what was changed after the eviction was asked for', async () => {
    const history = [
      ...[change('a', 1), change('a', 2, 100), change('a', 3, 150), evicted('key', 'a', 2, 200)],
      ...[ask('1', 'a', 1_500), answer('1', 2, 1_501)],
    ];
    expect(await outcomeOf(law, history, budgets)).toBe('holds');
  });

  test('counts from when the broker forgot, if that is later', async () => {
    const history = [
      ...[change('a', 1), change('a', 2, 100), evicted('key', 'a', 2, 200)],
      { t: 2_000, ev: 'cache.forgotten' },
      ...[ask('1', 'a', 2_900), answer('1', 1, 2_901)],
    ];
    expect(await outcomeOf(law, history, budgets)).toBe('unknown');
    const later = [...history, ask('2', 'a', 3_001), answer('2', 1, 3_002)];
    expect(await rejected(law, later, budgets)).toEqual([4, 8, 9]);
  });

  test('says nothing about a history without caches', async () => {
    expect(await outcomeOf(law, [{ t: 0, ev: 'note', text: 'nothing' }], budgets)).toBe('unknown');
  });
});
