import { describe, expect, test } from 'vitest';
import { outcomeOf, rejected, verdictOf } from './support/law-verdicts.ts';

const budgets = { cleanupMs: 1_000 };
const open = (connection: string, nodeId = 'n1', t = 0) => {
  return { t, ev: 'presence.open', connection, nodeId };
};
const close = (connection: string, t: number) => ({ t, ev: 'presence.close', connection });
const down = (nodeId: string, t: number) => ({ t, ev: 'node.down', nodeId });
const view = (connections: Record<string, string[]>, t: number) => {
  return { t, ev: 'presence.view', viewer: 'n2', connections };
};
const ask = (id: string, group: string, t: number, change = 'join') => {
  return { t, ev: 'presence.change', id, connection: 'c1', group, change };
};
const told = (id: string, t: number, outcome = 'ok') => {
  return { t, ev: 'presence.changed', id, outcome };
};

describe('presence-converges', () => {
  const law = 'presence-converges';

  test('accepts a view of exactly the connections there are, and any view before its time', async () => {
    const history = [
      ...[open('c1'), open('c2'), close('c2', 100), view({ c2: [] }, 5_900)],
      ...[view({ c1: [] }, 7_000), open('c3', 'n1', 7_100), view({ c1: [] }, 7_500)],
    ];
    expect(await verdictOf(law, history, budgets)).toMatchObject({ outcome: 'holds' });
  });

  test('rejects a connection that a node does not see', async () => {
    expect(await rejected(law, [open('c1'), view({}, 6_001)], budgets)).toEqual([2, 3]);
  });

  test('rejects the ghost of one that was closed, or whose node went down', async () => {
    const closed = [open('c1'), close('c1', 10), view({ c1: [] }, 6_011)];
    expect(await rejected(law, closed, budgets)).toEqual([2, 3, 4]);
    const dead = [open('c1'), down('n1', 10), view({ c1: [] }, 6_011)];
    expect(await rejected(law, dead, budgets)).toEqual([2, 3, 4]);
  });

  test('asks nothing of one that only its client has lost, as long as its node is there', async () => {
    const lost = { ...close('c1', 10), certainty: 'indefinite' };
    const history = [open('c1'), lost, view({}, 7_000), view({ c1: [] }, 7_001)];
    expect(await outcomeOf(law, history, budgets)).toBe('unknown');
    const dead = [open('c1'), lost, down('n1', 20), view({ c1: [] }, 6_021)];
    expect(await rejected(law, dead, budgets)).toEqual([2, 4, 5]);
  });

  test('asks nothing while something is broken, and for a while after', async () => {
    const fault = { t: 500, ev: 'fault.start', id: 'f', fault: 'cut', recoveryFrom: 'end' };
    const history = [
      ...[open('c1'), fault, view({}, 5_000), { t: 6_000, ev: 'fault.end', id: 'f' }],
      view({}, 11_900),
    ];
    expect(await outcomeOf(law, history, budgets)).toBe('unknown');
    expect(await outcomeOf(law, [...history, view({}, 12_001)], budgets)).toBe('violated');
  });
});

describe('group-changes-kept', () => {
  const law = 'group-changes-kept';

  test('accepts groups that were joined and not left, and not those that were', async () => {
    const history = [
      ...[open('c1'), ask('1', 'a', 1), told('1', 2), ask('2', 'b', 3), told('2', 4)],
      ...[ask('3', 'a', 5, 'leave'), told('3', 6), view({ c1: ['b'] }, 7_000)],
    ];
    expect(await verdictOf(law, history, budgets)).toMatchObject({ outcome: 'holds', checked: 2 });
  });

  test('rejects a change that was acknowledged and lost', async () => {
    const joined = [open('c1'), ask('1', 'a', 1), told('1', 2), view({ c1: [] }, 7_000)];
    expect(await rejected(law, joined, budgets)).toEqual([3, 4, 5]);
    const left = [
      ...[open('c1'), ask('1', 'a', 1), told('1', 2), ask('2', 'a', 3, 'leave'), told('2', 4)],
      view({ c1: ['a'] }, 7_000),
    ];
    expect(await rejected(law, left, budgets)).toEqual([5, 6, 7]);
  });

  test('asks nothing of changes that failed, may have happened, or came at once', async () => {
    const failed = [open('c1'), ask('1', 'a', 1), told('1', 2, 'failed'), view({ c1: [] }, 7_000)];
    expect(await outcomeOf(law, failed, budgets)).toBe('unknown');
    for (const groups of [[], ['a']]) {
      const unsure = [
        ...[open('c1'), ask('1', 'a', 1), told('1', 2), ask('2', 'a', 3, 'leave')],
        ...[told('2', 4, 'unknown'), view({ c1: groups }, 7_000)],
      ];
      expect(await outcomeOf(law, unsure, budgets)).toBe('unknown');
      const atOnce = [
        ...[open('c1'), ask('1', 'a', 1), ask('2', 'a', 2, 'leave'), told('1', 3), told('2', 4)],
        view({ c1: groups }, 7_000),
      ];
      expect(await outcomeOf(law, atOnce, budgets)).toBe('unknown');
    }
  });
});
