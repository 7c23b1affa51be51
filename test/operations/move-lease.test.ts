import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../src/foundation/errors.ts';
import { acquireLease } from '../../src/operations/act/acquire-lease.ts';
import { drainNode } from '../../src/operations/act/drain-node.ts';
import { moveLease } from '../../src/operations/act/move-lease.ts';
import { releaseLease } from '../../src/operations/act/release-lease.ts';
import { listDocs } from '../../src/operations/inspect/list-docs.ts';
import type { LeaseRecord, Leases } from '../../src/ports/leases.ts';
import type { SessionRecord } from '../../src/ports/sessions.ts';
import { collect } from './support/collect.ts';
import { ManualClock } from './support/manual-clock.ts';
import { scriptedVisitor } from './support/scripted-visitor.ts';
import { readOnlySessions, sessionRecord } from './support/session-record.ts';

const records = [
  sessionRecord('s1', 'node-a', { lastBeatAgoMs: 2_000 }),
  sessionRecord('s2', 'node-b'),
  sessionRecord('s3', 'node-c', { state: 'dead', cause: 'expired' }),
  sessionRecord('s4', 'node-d', { vitals: { draining: true } }),
];
const sessions = readOnlySessions(records);

type Control = (session: string, name: string, params: unknown) => Promise<unknown>;

function door(control: Control, lease: LeaseRecord | null | (() => LeaseRecord | null) = null) {
  const read = async () => (typeof lease === 'function' ? lease() : lease);
  return { sessions, visitor: scriptedVisitor({ control }), leases: { read } as unknown as Leases };
}

const held = (session: string): LeaseRecord => ({ session, epoch: 3, state: 'held' });

describe('acquiring a lease by hand', () => {
  const grant: Control = async (session) => ({
    doc: 'd',
    session,
    nodeId: records.find(({ id }) => id === session)?.description.nodeId,
    epoch: 1,
  });

  test('asks the fittest node when none is named: not the draining, not the dead', async () => {
    expect(await acquireLease(door(grant), 'd')).toEqual({
      doc: 'd',
      nodeId: 'node-b',
      session: 's2',
      epoch: 1,
    });
  });

  test('asks the node that is named, unless it is dead', async () => {
    expect((await acquireLease(door(grant), 'd', { node: 'node-a' })).nodeId).toBe('node-a');
    const dead = acquireLease(door(grant), 'd', { node: 'node-c' });
    await expect(dead).rejects.toMatchObject({ code: 'NODE_DEAD' });
  });
});

describe('being refused a lease', () => {
  test('names the node that owns it, which its own node knows by session only', async () => {
    const refuse: Control = async () => {
      const facts = { session: 's1' };
      throw new BackplaneError('LEASE_HELD', 'held by session s1', { facts });
    };
    await expect(acquireLease(door(refuse), 'd')).rejects.toMatchObject({
      code: 'LEASE_HELD',
      facts: { nodeId: 'node-a' },
    });
  });
});

describe('asking the owner', () => {
  test('follows a document that moved between looking and asking', async () => {
    const owners = [held('s1'), held('s2')];
    const asked: string[] = [];
    const moving = door(
      async (session) => {
        asked.push(session);
        if (session === 's1') throw new BackplaneError('NOT_OWNER', 'not mine');
        return { doc: 'd', epoch: 3 };
      },
      () => owners.shift() ?? held('s2'),
    );
    expect(await releaseLease(moving, 'd')).toEqual({
      doc: 'd',
      nodeId: 'node-b',
      session: 's2',
      epoch: 3,
    });
    expect(asked).toEqual(['s1', 's2']);
  });

  test('fails with LEASE_UNKNOWN when nobody owns it, with NODE_DEAD when its owner died', async () => {
    const nobody = releaseLease(
      door(async () => ({}), null),
      'd',
    );
    await expect(nobody).rejects.toMatchObject({ code: 'LEASE_UNKNOWN' });
    const orphaned = releaseLease(
      door(async () => ({}), held('s3')),
      'd',
    );
    await expect(orphaned).rejects.toMatchObject({ code: 'NODE_DEAD' });
  });
});

describe('moving a lease', () => {
  test('asks the owner to hand over to the session of the node named', async () => {
    let asked: unknown;
    const move: Control = async (session, name, params) => {
      asked = { session, name, params };
      return { doc: 'd', session: 's2', nodeId: 'node-b', epoch: 4 };
    };
    expect(await moveLease(door(move, held('s1')), 'd', 'node-b')).toEqual({
      doc: 'd',
      nodeId: 'node-b',
      session: 's2',
      epoch: 4,
      fromNodeId: 'node-a',
      fromSession: 's1',
      moved: true,
    });
    expect(asked).toEqual({
      session: 's1',
      name: 'lease.move',
      params: { doc: 'd', session: 's2' },
    });
  });

  test('asks nobody when the node owns it already', async () => {
    const refuse: Control = async () => expect.unreachable('it asked');
    const report = await moveLease(door(refuse, held('s2')), 'd', 'node-b');
    expect(report).toMatchObject({ nodeId: 'node-b', epoch: 3, moved: false });
  });

  test('refuses a name that two live nodes share', async () => {
    const twins = readOnlySessions([...records, sessionRecord('s5', 'node-b')]);
    const shared = { ...door(async () => ({}), held('s1')), sessions: twins };
    await expect(moveLease(shared, 'd', 'node-b')).rejects.toMatchObject({
      code: 'CONFLICT',
      facts: { sessions: ['s2', 's5'] },
    });
  });
});

describe('draining a node', () => {
  const drainable = () => {
    const own: SessionRecord[] = [sessionRecord('s1', 'node-a')];
    return { own, sessions: readOnlySessions(own), clock: new ManualClock() };
  };

  test('waits until its session has ended, and says how it ended', async () => {
    const { own, ...parts } = drainable();
    const visitor = scriptedVisitor({
      control: async () => {
        parts.clock.after(1_000, () => {
          own[0] = { ...(own[0] as SessionRecord), state: 'dead', cause: 'left' };
        });
        return { documents: 7 };
      },
    });
    const report = await drainNode({ ...parts, visitor }, 'node-a');
    expect(report).toMatchObject({ nodeId: 'node-a', session: 's1', documents: 7, cause: 'left' });
    expect(report.tookMs).toBeGreaterThanOrEqual(1_000);
  });

  test('fails with DEADLINE_EXCEEDED while it still hands over', async () => {
    const { own: _own, ...parts } = drainable();
    const visitor = scriptedVisitor({ control: async () => ({ documents: 7 }) });
    const drained = drainNode({ ...parts, visitor }, 'node-a', { timeoutMs: 2_000 });
    await expect(drained).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  test('refuses a dead node', async () => {
    const { own: _own, ...parts } = drainable();
    const drained = drainNode({ ...parts, sessions, visitor: scriptedVisitor({}) }, 'node-c');
    await expect(drained).rejects.toMatchObject({ code: 'NODE_DEAD' });
  });
});

describe('listing documents', () => {
  const head = (doc: string, session: string) => ({
    doc,
    seq: 5,
    chain: '',
    epoch: 2,
    session,
    snapshotSeq: 0,
  });

  test('pages through a node, and asks the next when the first is gone', async () => {
    const asked: string[] = [];
    const listing = door(async (session, _name, params) => {
      asked.push(session);
      if (session === 's2') throw new BackplaneError('NO_RESPONDER', 'gone');
      const { from } = params as { from: string | null };
      return from === null
        ? { documents: [head('a', 's1')], next: 'p2' }
        : { documents: [head('b', 'forgotten')], next: null };
    });
    const pages = await collect(listDocs(listing));
    expect(pages).toEqual([
      [{ doc: 'a', seq: 5, epoch: 2, nodeId: 'node-a', session: 's1', snapshotSeq: 0 }],
      [{ doc: 'b', seq: 5, epoch: 2, nodeId: null, session: 'forgotten', snapshotSeq: 0 }],
    ]);
    expect(asked).toEqual(['s2', 's1', 's2', 's1']);
  });

  test('fails with NO_NODES when none is alive', async () => {
    const empty = { ...door(async () => ({})), sessions: readOnlySessions([]) };
    await expect(collect(listDocs(empty))).rejects.toMatchObject({ code: 'NO_NODES' });
  });
});
