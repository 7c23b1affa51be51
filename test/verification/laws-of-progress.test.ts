import { describe, expect, test } from 'vitest';
import { happened } from '../support/history-text.ts';
import { outcomeOf, rejected, verdictOf } from './support/law-verdicts.ts';

const { invoke, ok, refused, unknown, deliver, subscribe } = happened;
const budgets = { settleMs: 1_000 };
const fault = (from: number, to: number) => [
  { t: from, ev: 'fault.start', id: `f${from}`, fault: 'cut', recoveryFrom: 'start' },
  { t: to, ev: 'fault.end', id: `f${from}` },
];
const over = (t: number) => ({ t, ev: 'note', text: 'over' });

describe('ops-end', () => {
  const law = 'ops-end';

  test('accepts ops that are acknowledged or refused in time, however that is', async () => {
    const history = [
      ...[invoke('p:1', { t: 0 }), invoke('p:2', { t: 0 }), invoke('q:1', { t: 0 })],
      ...[ok('p:1', 1, { t: 900 }), refused('p:2', { t: 950 }), unknown('q:1', { t: 1_000 })],
      ...[invoke('p:3', { t: 1_000 }), over(1_500)],
    ];
    const verdict = await verdictOf(law, history, budgets);
    expect(verdict).toMatchObject({ outcome: 'holds', checked: 3 });
    expect(verdict.detail).toContain('1 still had time');
  });

  test('rejects an op that is answered late, or never, though others are served', async () => {
    const first = invoke('p:1', { t: 0 });
    expect(await rejected(law, [first, ok('p:1', 1, { t: 1_001 })], budgets)).toEqual([2, 3]);
    const others = [invoke('q:1', { t: 500 }), ok('q:1', 1, { t: 510 })];
    expect(await rejected(law, [first, ...others, over(1_001)], budgets)).toEqual([2]);
  });

  test('counts the attempts under one id as one', async () => {
    const again = [invoke('p:1', { t: 0 }), invoke('p:1', { t: 900 })];
    expect(await rejected(law, [...again, ok('p:1', 1, { t: 1_001 })], budgets)).toEqual([2, 4]);
  });

  test('waits until faults are over, and lets none cover up who waited before', async () => {
    const during = [invoke('p:1', { t: 0 }), ...fault(500, 9_000)];
    expect(await outcomeOf(law, [...during, ok('p:1', 1, { t: 10_000 })], budgets)).toBe('holds');
    expect(await rejected(law, [...during, ok('p:1', 1, { t: 10_001 })], budgets)).toEqual([2, 5]);
    const before = [invoke('p:1', { t: 0 }), ...fault(1_001, 1_002), ok('p:1', 1, { t: 1_003 })];
    expect(await rejected(law, before, budgets)).toEqual([2, 3]);
  });

  test('does not know without an answer', async () => {
    expect(await outcomeOf(law, [invoke('p:1', { t: 0 }), over(10)], budgets)).toBe('unknown');
    expect(await outcomeOf(law, [over(10)], budgets)).toBe('unknown');
  });
});

describe('deliveries-arrive', () => {
  const law = 'deliveries-arrive';
  const one = [...[{ ...subscribe('a'), t: 0 }, invoke('p:1', { t: 1 })], ok('p:1', 1, { t: 2 })];
  const heard = (t: number, seq = 1) => deliver('a', seq, `p:${seq}`, { t });

  test('accepts ops that reach their subscribers in time, before or after their answer', async () => {
    const early = [{ ...subscribe('b'), t: 0 }, deliver('b', 1, 'p:1', { t: 0 })];
    const history = [...early, ...one, heard(1_002)];
    expect(await verdictOf(law, history, budgets)).toMatchObject({ outcome: 'holds', checked: 2 });
  });

  test('rejects one that arrives late, or never', async () => {
    expect(await rejected(law, [...one, heard(1_003)], budgets)).toEqual([4, 5]);
    expect(await rejected(law, [...one, over(1_003)], budgets)).toEqual([4]);
  });

  test('rejects one that did not arrive before its subscriber gave up', async () => {
    const left = (t: number) => ({ ev: 'unsubscribe', doc: 'd', subscriber: 'a', t });
    expect(await rejected(law, [...one, left(1_003)], budgets)).toEqual([4, 5]);
    expect(await outcomeOf(law, [...one, left(1_002)], budgets)).toBe('unknown');
  });

  test('asks nothing of who left, or came later', async () => {
    const left = [...one, { ev: 'unsubscribe', doc: 'd', subscriber: 'a', t: 900 }, over(5_000)];
    expect(await outcomeOf(law, left, budgets)).toBe('unknown');
    const came = [...one, heard(3), { ...subscribe('b', 1), t: 4_000 }, over(9_000)];
    expect(await outcomeOf(law, came, budgets)).toBe('holds');
    const behind = [...one, heard(3), { ...subscribe('b'), t: 4_000 }];
    expect(await outcomeOf(law, [...behind, over(5_000)], budgets)).toBe('holds');
    expect(await rejected(law, [...behind, over(5_001)], budgets)).toEqual([4]);
  });

  test('waits until faults are over, and lets none cover up who waited before', async () => {
    const during = [...one, ...fault(500, 9_000)];
    expect(await outcomeOf(law, [...during, heard(10_000)], budgets)).toBe('holds');
    expect(await rejected(law, [...during, heard(10_001)], budgets)).toEqual([4, 7]);
    const before = [...one, ...fault(1_003, 1_004), heard(1_005)];
    expect(await rejected(law, before, budgets)).toEqual([4, 5]);
  });

  test('forgets what everybody has', async () => {
    const many = Array.from({ length: 9_000 }, (_, at) => [
      ...[invoke(`p:${at + 1}`, { t: at }), ok(`p:${at + 1}`, at + 1, { t: at })],
      heard(at, at + 1),
    ]).flat();
    const subscribed = [{ ...subscribe('a'), t: 0 }, ...many];
    expect(await outcomeOf(law, subscribed, budgets)).toBe('holds');
    const next = [invoke('p:9001', { t: 9_000 }), ok('p:9001', 9_001, { t: 9_000 })];
    expect(await rejected(law, [...subscribed, ...next, over(10_001)], budgets)).toHaveLength(1);
  });

  test('does not know what nobody followed', async () => {
    expect(await outcomeOf(law, one.slice(1), budgets)).toBe('unknown');
    expect(await outcomeOf(law, one.slice(0, 2), budgets)).toBe('unknown');
  });
});
