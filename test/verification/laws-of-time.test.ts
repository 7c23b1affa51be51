import { describe, expect, test } from 'vitest';
import { happened } from '../support/history-text.ts';
import { outcomeOf, rejected, verdictOf } from './support/law-verdicts.ts';

const { invoke, ok, refused, unknown } = happened;
const kill = (t: number, recoveryFrom = 'start') => [
  { t, ev: 'fault.start', id: `f${t}`, fault: 'kill', recoveryFrom },
  ...(recoveryFrom === 'start' ? [{ t, ev: 'fault.end', id: `f${t}` }] : []),
];
const healed = (t: number, of: number) => ({ t, ev: 'fault.end', id: `f${of}` });
const at = (t: number, ev: string, fields: object = {}) => ({ t, ev, ...fields });

describe('requests-end', () => {
  const law = 'requests-end';
  const send = (id: string, t: number) => at(t, 'request.send', { id, timeoutMs: 1_000 });
  const end = (id: string, t: number, outcome = 'ok', code?: string) =>
    at(t, 'request.end', { id, outcome, code });

  test('accepts requests that end in time, well or with a code', async () => {
    const history = [
      ...[send('r', 0), send('q', 0), end('r', 5), end('q', 1_040, 'failed', 'DEADLINE_EXCEEDED')],
      ...[send('late', 1_500), at(2_000, 'note', { text: '' })],
    ];
    expect(await verdictOf(law, history)).toMatchObject({ outcome: 'holds', checked: 2 });
  });

  test('rejects a request that ends late, or never', async () => {
    expect(await rejected(law, [send('r', 0), end('r', 1_051)])).toEqual([2, 3]);
    expect(await rejected(law, [send('r', 0), at(1_051, 'note', { text: '' })])).toEqual([2]);
    const budgets = { latenessMs: 100 };
    expect(await outcomeOf(law, [send('r', 0), end('r', 1_051)], budgets)).toBe('holds');
  });

  test('rejects a request that ends twice, or fails without saying why', async () => {
    expect(await rejected(law, [send('r', 0), end('r', 5), end('r', 6)])).toEqual([3, 4]);
    expect(await rejected(law, [send('r', 0), end('r', 5, 'failed')])).toEqual([2, 3]);
  });

  test('asks nothing of requests whose caller was lost, or that still have time', async () => {
    const lost = [send('r', 0), end('r', 9_000, 'unknown')];
    expect(await outcomeOf(law, lost)).toBe('unknown');
    expect(await outcomeOf(law, [...lost, send('q', 9_000), end('q', 9_001)])).toBe('holds');
    expect(await outcomeOf(law, [send('r', 0)])).toBe('unknown');
    expect(await outcomeOf(law, [invoke('p:1')])).toBe('unknown');
  });
});

describe('awareness-converges', () => {
  const law = 'awareness-converges';
  const set = (t: number, clock: number, state: unknown, certainty?: string) =>
    at(t, 'awareness.set', { doc: 'd', peer: 'p', clock, state, certainty });
  const view = (t: number, states: object, viewer = 'v') =>
    at(t, 'awareness.view', { doc: 'd', viewer, states });
  const p = (clock: number, state: unknown) => ({ p: { clock, state } });

  test('accepts views that show the latest, and any view before it could be known', async () => {
    const history = [
      ...[
        set(0, 1, 'a'),
        view(10, {}),
        set(20, 2, 'b'),
        view(30, p(1, 'a')),
        view(4_000, p(2, 'b')),
      ],
      ...[set(5_000, 3, null), view(9_000, {}), view(9_001, {}, 'w')],
    ];
    expect(await verdictOf(law, history)).toMatchObject({ outcome: 'holds', checked: 3 });
  });

  test('rejects a view that lacks the latest state, has an old one, or shows who is gone', async () => {
    expect(await rejected(law, [set(0, 1, 'a'), view(3_001, {})])).toEqual([2, 3]);
    const stale = [set(0, 1, 'a'), set(5, 2, 'b'), view(4_000, p(1, 'a'))];
    expect(await rejected(law, stale)).toEqual([3, 4]);
    const ghost = [set(0, 1, 'a'), set(5, 2, null), view(4_000, p(1, 'a'))];
    expect(await rejected(law, ghost)).toEqual([3, 4]);
  });

  test('rejects a state that was never set, and a view that goes back', async () => {
    expect(await rejected(law, [set(0, 1, 'a'), view(4_000, p(1, 'x'))])).toEqual([2, 3]);
    const back = [set(0, 1, 'a'), set(1, 2, 'b'), view(2, p(2, 'b')), view(3, p(1, 'a'))];
    expect(await rejected(law, back)).toEqual([4, 5]);
  });

  test('waits until faults are over', async () => {
    const cut = kill(10, 'end');
    expect(await outcomeOf(law, [set(0, 1, 'a'), ...cut, view(9_000, {})])).toBe('unknown');
    const mended = [set(0, 1, 'a'), ...cut, healed(9_000, 10), view(9_500, {})];
    expect(await outcomeOf(law, mended)).toBe('unknown');
    expect(await rejected(law, [...mended, view(13_000, {})])).toEqual([2, 6]);
  });

  test('accepts either side of a state that may have been set', async () => {
    const history = [set(0, 1, 'a'), set(5, 2, 'b', 'indefinite'), set(6, 2, null, 'indefinite')];
    for (const states of [p(1, 'a'), p(2, 'b'), p(2, null), {}]) {
      expect(await outcomeOf(law, [...history, view(4_000, states)])).toBe('holds');
    }
  });
});

describe('dead-are-gone', () => {
  const law = 'dead-are-gone';
  const life = [
    at(0, 'session.open', { session: 's', nodeId: 'n' }),
    at(1, 'registration.add', { id: 'c', session: 's' }),
  ];
  const gone = (t: number, certainty?: string) =>
    at(t, 'session.gone', { session: 's', certainty });
  const view = (t: number, ...ids: string[]) => at(t, 'registration.view', { viewer: 'v', ids });

  test('accepts views that lose the dead in time, and keep the living', async () => {
    const history = [...life, view(5, 'c'), gone(10), view(20_000, 'c'), view(23_000)];
    expect(await verdictOf(law, history)).toMatchObject({ outcome: 'holds', checked: 1 });
  });

  test('rejects a registration that outlives its session', async () => {
    expect(await rejected(law, [...life, gone(10), view(22_011, 'c')])).toEqual([3, 4, 5]);
    const budgets = { cleanupMs: 1_000 };
    expect(await rejected(law, [...life, gone(10), view(2_000, 'c')], budgets)).toEqual([3, 4, 5]);
  });

  test('rejects a registration that outlives its process', async () => {
    const history = [...life, at(10, 'node.down', { nodeId: 'n' }), view(30_000, 'c')];
    expect(await rejected(law, history)).toEqual([3, 4, 5]);
  });

  test('asks nothing when the session may live', async () => {
    expect(await outcomeOf(law, [...life, gone(10, 'indefinite'), view(30_000, 'c')])).toBe(
      'unknown',
    );
  });

  test('does not know when nobody looked late enough', async () => {
    expect(await outcomeOf(law, [...life, gone(10), view(20, 'c')])).toBe('unknown');
    expect(await outcomeOf(law, [...life, view(30_000, 'c')])).toBe('unknown');
  });
});

describe('living-come-back', () => {
  const law = 'living-come-back';
  const up = at(0, 'node.up', { nodeId: 'n' });
  const open = (t: number, session: string) => at(t, 'session.open', { session, nodeId: 'n' });
  const gone = (t: number, session: string, certainty?: string) =>
    at(t, 'session.gone', { session, certainty });
  const over = (t: number) => at(t, 'note', { text: 'over' });

  test('accepts a node that opens a new session in time', async () => {
    const history = [up, open(5, 's'), gone(100, 's'), open(20_000, 't'), over(99_000)];
    expect(await verdictOf(law, history)).toMatchObject({ outcome: 'holds', checked: 2 });
  });

  test('rejects a node that never comes back, or late', async () => {
    const lost = [up, open(5, 's'), gone(100, 's')];
    expect(await rejected(law, [...lost, over(30_101)])).toEqual([2, 4]);
    expect(await rejected(law, [...lost, open(30_101, 't')])).toEqual([2, 4, 5]);
    const budgets = { returnMs: 1_000 };
    expect(await rejected(law, [...lost, open(2_000, 't')], budgets)).toEqual([2, 4, 5]);
  });

  test('rejects a node that never opens a session at all', async () => {
    expect(await rejected(law, [up, over(30_001)])).toEqual([2]);
  });

  test('counts neither the time of faults nor that of the dead', async () => {
    const cut = [up, open(5, 's'), ...kill(50, 'end'), gone(100, 's'), healed(90_000, 50)];
    expect(await outcomeOf(law, [...cut, open(100_000, 't')])).toBe('holds');
    expect(await rejected(law, [...cut, open(130_000, 't')])).toEqual([2, 5, 7]);
    const dead = [up, open(5, 's'), gone(10, 's'), at(11, 'node.down', { nodeId: 'n' })];
    expect(await verdictOf(law, [...dead, over(99_000)])).toMatchObject({ violations: 0 });
  });

  test('asks nothing when the session may live, and does not know when there is still time', async () => {
    const maybe = [up, open(5, 's'), gone(100, 's', 'indefinite'), over(99_000)];
    expect(await outcomeOf(law, maybe)).toBe('holds');
    expect(await outcomeOf(law, [up, open(5, 's'), gone(100, 's'), over(200)])).toBe('unknown');
    expect(await outcomeOf(law, [over(1)])).toBe('unknown');
  });
});

describe('recovery-in-time', () => {
  const law = 'recovery-in-time';
  const budgets = { recoveryMs: 1_000 };
  const before = [invoke('p:1', { t: 0 }), ok('p:1', 1, { t: 5 }), invoke('p:2', { t: 90 })];

  test('accepts a document that is served again in time', async () => {
    const history = [
      ...[...before, ...kill(100), ok('p:2', 2, { t: 700 })],
      ...[invoke('p:3', { t: 710 }), ok('p:3', 3, { t: 720 })],
    ];
    const verdict = await verdictOf(law, history, budgets);
    expect(verdict).toMatchObject({ outcome: 'holds', checked: 1 });
    expect(verdict.detail).toContain('600ms');
  });

  test('rejects one that is served again too late, or never', async () => {
    const killed = [...before, ...kill(100)];
    expect(await rejected(law, [...killed, ok('p:2', 2, { t: 1_101 })], budgets)).toEqual([
      4, 5, 7,
    ]);
    const over = at(5_000, 'note', { text: '' });
    expect(await rejected(law, [...killed, over], budgets)).toEqual([4, 5]);
    const next = [...killed, ...kill(2_000), ok('p:2', 2, { t: 2_010 })];
    expect(await rejected(law, next, budgets)).toEqual([4, 5]);
  });

  test('rejects one that refuses everybody at once for too long', async () => {
    const tries = [0, 500, 1_000, 1_200].flatMap((after, at) => [
      invoke(`q:${at}`, { t: 100 + after }),
      refused(`q:${at}`, { t: 110 + after }),
    ]);
    expect(await rejected(law, [...kill(100), ...tries], budgets)).toEqual([2, 4, 9]);
  });

  test('counts from the end of a fault under which nothing can work', async () => {
    const outage = [...before, ...kill(100, 'end'), healed(9_000, 100)];
    const served = [ok('p:2', 2, { t: 9_500 }), invoke('p:3', { t: 9_501 }), ok('p:3', 3)];
    expect(await outcomeOf(law, [...outage, ...served], budgets)).toBe('holds');
    expect(await rejected(law, [...outage, ok('p:2', 2, { t: 10_001 })], budgets)).toEqual([
      4, 6, 7,
    ]);
  });

  test('rejects one that served for a moment before what was broken showed', async () => {
    const first = [...kill(100), invoke('p:1', { t: 101 }), ok('p:1', 1, { t: 102 })];
    const stalled = [invoke('p:2', { t: 103 }), ok('p:2', 2, { t: 1_104 })];
    expect(await rejected(law, [...first, ...stalled], budgets)).toEqual([2, 6, 7]);
  });

  test('accepts one that serves others while an op of somebody cut off waits', async () => {
    const others = [0, 500, 1_000, 1_500].flatMap((after, at) => [
      invoke(`q:${at}`, { t: 110 + after }),
      ok(`q:${at}`, at + 1, { t: 111 + after }),
    ]);
    expect(await outcomeOf(law, [...before, ...kill(100), ...others], budgets)).toBe('holds');
  });

  test('counts from the op that waited longest, whichever is served first', async () => {
    const waiting = [invoke('p:1', { t: 110 }), invoke('q:1', { t: 1_200 })];
    const served = [ok('q:1', 1, { t: 1_201 }), ok('p:1', 2, { t: 1_202 })];
    expect(await rejected(law, [...kill(100), ...waiting, ...served], budgets)).toEqual([2, 4, 6]);
  });

  test('takes no quiet time for an outage', async () => {
    const history = [
      ...[...before, ...kill(100), ok('p:2', 2, { t: 101 })],
      ...[invoke('p:3', { t: 60_000 }), ok('p:3', 3, { t: 60_010 })],
    ];
    expect(await outcomeOf(law, history, budgets)).toBe('holds');
  });

  test('does not take an op of unknown outcome for a recovery, nor for a proof against one', async () => {
    const history = [...before, ...kill(100), unknown('p:2', { t: 600 })];
    expect(await outcomeOf(law, history, budgets)).toBe('unknown');
    const served = [invoke('p:3', { t: 9_000 }), ok('p:3', 2, { t: 9_010 })];
    expect(await outcomeOf(law, [...history, ...served], budgets)).toBe('holds');
  });

  test('does not know without a fault, or without load', async () => {
    expect(await outcomeOf(law, before, budgets)).toBe('unknown');
    expect(await outcomeOf(law, kill(100), budgets)).toBe('unknown');
  });
});

describe('nothing-left-behind', () => {
  const law = 'nothing-left-behind';
  const budgets = { cleanupMs: 5 };
  const key = (role: string, session: string | null, ttlMs: number | null) => ({
    ...{ ev: 'final.key', key: `k:${role}`, role, session, ttlMs },
  });
  const keys = (count: number) => ({ ev: 'final.keys', count });
  const gone = (certainty?: string) => ({ ev: 'session.gone', session: 's', certainty });

  test('accepts what belongs to the cluster, to the living, or goes by itself', async () => {
    const history = [
      ...[gone(), key('cluster', null, null), key('log', null, null), key('lease', 't', null)],
      ...[key('session', 's', 5_000), key('other', null, 5_000), keys(5)],
    ];
    expect(await verdictOf(law, history)).toMatchObject({ outcome: 'holds', checked: 5 });
  });

  test('rejects what stays of the dead', async () => {
    for (const role of ['session', 'lease']) {
      const history = [gone(), key(role, 's', null), keys(1)];
      expect(await rejected(law, history, budgets)).toEqual([2, 3]);
      // It died a moment ago.
      expect(await outcomeOf(law, history)).toBe('holds');
    }
  });

  test('rejects a key that nobody knows and that stays', async () => {
    expect(await rejected(law, [key('other', null, null), keys(1)])).toEqual([2]);
  });

  test('asks nothing when the session may live', async () => {
    const history = [gone('indefinite'), key('lease', 's', null), keys(1)];
    expect(await outcomeOf(law, history, budgets)).toBe('holds');
  });

  test('does not know unless every key was listed', async () => {
    expect(await outcomeOf(law, [key('log', null, null)])).toBe('unknown');
    expect(await outcomeOf(law, [key('log', null, null), keys(2)])).toBe('unknown');
    expect(await outcomeOf(law, [key('session', null, null), keys(1)])).toBe('unknown');
  });
});
