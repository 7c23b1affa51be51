import { describe, expect, test } from 'vitest';
import { findPresenceTrouble } from '../../src/operations/diagnose/presence-trouble.ts';
import { runProbe } from '../../src/operations/diagnose/probe.ts';
import { cacheProbe } from '../../src/operations/diagnose/probes/cache-probe.ts';
import { relayProbe } from '../../src/operations/diagnose/probes/relay-probe.ts';
import type { Engine } from '../../src/ports/engine.ts';
import type { Registry } from '../../src/ports/registry.ts';
import type { HubState } from '../../src/runtime/presence/presence-state.ts';
import { cacheRegion } from './support/healthy-evidence.ts';
import { ManualClock } from './support/manual-clock.ts';
import { scriptedVisitor } from './support/scripted-visitor.ts';
import { readOnlySessions, sessionRecord } from './support/session-record.ts';

const sessions = readOnlySessions([sessionRecord('s-a', 'node-a'), sessionRecord('s-b', 'node-b')]);

/** What is registered, and what the two nodes hold and believe, at one moment. */
interface Moment {
  readonly registered: Readonly<Record<string, number>>;
  /** The version of each node's own connections, and what it believes of others. */
  readonly nodes: Readonly<
    Record<string, { own: number; others: Readonly<Record<string, number>> }>
  >;
}

const state = (session: string, { own, others }: Moment['nodes'][string]): HubState => ({
  own: { session, version: own, connections: own === 0 ? 0 : 1, digest: '' },
  others: Object.entries(others).map(([other, version]) => {
    return { session: other, version, connections: 1, digest: '', agreedAgoMs: 0 };
  }),
  follows: true,
});

async function troubleIn(before: Moment, now: Moment) {
  let moment = before;
  const registry = {
    hubs: async () => ({ hubs: ['main'], next: null }),
    versions: async () => new Map(Object.entries(moment.registered)),
  } as Partial<Registry> as Registry;
  const visitor = scriptedVisitor({
    control: async (session) => state(session, moment.nodes[session] ?? { own: 0, others: {} }),
  });
  const settle = async () => {
    moment = now;
  };
  const { rows } = await findPresenceTrouble(
    { engine: { registry, sessions }, visitor, settle },
    null,
  );
  return rows.map(({ kind, session, seenBy }) => `${kind} ${session} ${seenBy}`);
}

const well: Moment = {
  registered: { 's-a': 5 },
  nodes: { 's-a': { own: 5, others: {} }, 's-b': { own: 0, others: { 's-a': 5 } } },
};
const behind: Moment = { ...well, nodes: { ...well.nodes, 's-b': { own: 0, others: {} } } };

describe('what is wrong about connections', () => {
  test('is nothing when all agree, or when what was on its way has arrived', async () => {
    expect(await troubleIn(well, well)).toEqual([]);
    expect(await troubleIn(behind, well)).toEqual([]);
  });

  test('is not that a node is a change behind, of many changes, at every look', async () => {
    const later: Moment = {
      registered: { 's-a': 9 },
      nodes: { 's-a': { own: 9, others: {} }, 's-b': { own: 0, others: { 's-a': 8 } } },
    };
    expect(await troubleIn(behind, later)).toEqual([]);
  });

  test('is a node that stays behind, and one that still sees what is gone', async () => {
    expect(await troubleIn(behind, behind)).toEqual(['behind s-a node-b']);
    const gone = {
      ...well,
      registered: {},
      nodes: { ...well.nodes, 's-a': { own: 0, others: {} } },
    };
    expect(await troubleIn(gone, gone)).toEqual(['lingering s-a node-b']);
  });

  test('is what the broker has forgotten, and what it keeps of the dead', async () => {
    const forgotten: Moment = { ...well, registered: { 's-a': 2 } };
    expect(await troubleIn(forgotten, forgotten)).toEqual(['unregistered s-a broker']);
    const left: Moment = { ...well, registered: { 's-a': 5, 's-dead': 1 } };
    expect(await troubleIn(left, left)).toEqual(['left-behind s-dead broker']);
  });
});

describe('a probe', () => {
  const parts = (control: (session: string) => Promise<unknown>) => ({
    ...{ clock: new ManualClock(), options: {}, token: () => 'token' },
    engine: async () => ({ sessions }) as Engine,
    visitor: async () => scriptedVisitor({ control }),
  });

  test('of caches warns of one that cannot prove itself, and is critical when it serves', async () => {
    const regions = (whenCut: 'serve' | 'bypass') => async (session: string) => ({
      regions: [cacheRegion({ whenCut, state: session === 's-b' ? 'cut' : 'current' })],
    });
    expect(await runProbe(cacheProbe, parts(regions('bypass')), {})).toMatchObject({
      ...{ state: 'warning', value: 1 },
      detail: 'not proved to be current: users on web-1 (bypass)',
    });
    const serving = await runProbe(cacheProbe, parts(regions('serve')), {});
    expect(serving).toMatchObject({ state: 'critical', value: 1 });
  });

  test('of the relay takes the slowest way between nodes', async () => {
    const control = async (session: string) => ({ latenciesMs: session === 's-a' ? [1, 2] : [30] });
    expect(await runProbe(relayProbe, parts(control), {})).toMatchObject({
      ...{ state: 'ok', value: 30, detail: '2 ways work; the slowest is from node-b to node-a' },
    });
  });
});
