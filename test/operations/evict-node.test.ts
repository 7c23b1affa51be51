import { describe, expect, test } from 'vitest';
import { evictNode } from '../../src/operations/act/evict-node.ts';
import type { Leases } from '../../src/ports/leases.ts';
import type { Registry } from '../../src/ports/registry.ts';
import type { FenceAnswer, SessionRecord, Sessions } from '../../src/ports/sessions.ts';
import { readOnlySessions, sessionRecord } from './support/session-record.ts';

/** Sessions that note what is done to them, in the order it is done. */
function watched(records: SessionRecord[], fence: (record: SessionRecord) => FenceAnswer) {
  const acts: string[] = [];
  const byId = (id: string) => records.find((record) => record.id === id) as SessionRecord;
  const sessions: Sessions = {
    ...readOnlySessions(records),
    fence: async (id, beat) => {
      acts.push(`fence ${id} at ${beat}`);
      return fence(byId(id));
    },
    finishSweep: async (id) => {
      acts.push(`finish ${id}`);
    },
  };
  const leases = {
    sweep: async (session: string, from: string | null) => {
      acts.push(`sweep ${session}`);
      return from === null ? { removed: 2, next: 'more' } : { removed: 1, next: null };
    },
  } as Leases;
  let cleared = 0;
  const registry = {
    clear: async (session: string) => {
      acts.push(`clear ${session}`);
      cleared += 1;
      return { removed: 1, done: cleared > 1 };
    },
  } as Registry;
  return { acts, parts: { sessions, leases, registry } };
}

const silent = { lastBeatAgoMs: 12_000, expiresInMs: 18_000 };

describe('evicting a node', () => {
  test('fences a silent session before it clears its leases and connections', async () => {
    const { acts, parts } = watched([sessionRecord('s', 'node-a', silent)], () => 'fenced');
    expect(await evictNode(parts, 'node-a')).toEqual({
      nodeId: 'node-a',
      removed: 3,
      sessions: [{ session: 's', was: 'silent', fenced: true, removed: 3 }],
    });
    expect(acts).toEqual([
      ...['fence s at 1', 'sweep s', 'sweep s', 'clear s', 'clear s', 'finish s'],
    ]);
  });

  test('clears a dead session without fencing it', async () => {
    const dead = sessionRecord('s', 'node-a', { state: 'dead', cause: 'expired' });
    const { acts, parts } = watched([dead], () => 'dead');
    expect((await evictNode(parts, 'node-a')).sessions[0]).toMatchObject({
      was: 'dead',
      fenced: false,
    });
    expect(acts[0]).toBe('sweep s');
  });

  test('refuses a living node and changes nothing', async () => {
    const records = [
      sessionRecord('new', 'node-a'),
      sessionRecord('old', 'node-a', { state: 'dead', cause: 'expired' }),
    ];
    const { acts, parts } = watched(records, () => 'fenced');
    await expect(evictNode(parts, 'node-a')).rejects.toMatchObject({ code: 'NODE_ALIVE' });
    expect(acts).toEqual([]);
  });

  test('clears an earlier life of a living node when that session is named', async () => {
    const records = [
      sessionRecord('new', 'node-a'),
      sessionRecord('old', 'node-a', { state: 'dead', cause: 'expired' }),
    ];
    const { parts } = watched(records, () => 'fenced');
    expect((await evictNode(parts, 'old')).sessions.map(({ session }) => session)).toEqual(['old']);
  });

  test('refuses a silent node that beats just before it is fenced', async () => {
    const { acts, parts } = watched([sessionRecord('s', 'node-a', silent)], () => 'renewed');
    await expect(evictNode(parts, 'node-a')).rejects.toMatchObject({ code: 'NODE_ALIVE' });
    expect(acts).toEqual(['fence s at 1']);
  });

  test('with force ends a living node, however its beat moves on', async () => {
    const records = [sessionRecord('s', 'node-a')];
    let beats = 0;
    const { acts, parts } = watched(records, (record) => {
      if (++beats > 2) return 'fenced';
      records[0] = { ...record, beat: record.beat + 1 };
      return 'renewed';
    });
    expect((await evictNode(parts, 'node-a', { force: true })).removed).toBe(3);
    expect(acts.slice(0, 3)).toEqual(['fence s at 1', 'fence s at 2', 'fence s at 3']);
  });

  test('fails with NODE_UNKNOWN for a name nobody has', async () => {
    const { parts } = watched([], () => 'dead');
    await expect(evictNode(parts, 'node-z')).rejects.toMatchObject({ code: 'NODE_UNKNOWN' });
  });
});
