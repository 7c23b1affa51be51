import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../src/foundation/errors.ts';
import { isoTime } from '../../src/foundation/iso-time.ts';
import { followDocuments } from '../../src/operations/inspect/follow-documents.ts';
import type { FollowedOp, Follower, FollowFrom } from '../../src/runtime/reports.ts';
import { ManualClock } from './support/manual-clock.ts';
import { scriptedVisitor } from './support/scripted-visitor.ts';
import { readOnlySessions, sessionRecord } from './support/session-record.ts';

function opAt(doc: string, seq: number, text = String(seq)): FollowedOp {
  const payload = new TextEncoder().encode(text);
  const at = 1_767_225_600_250;
  return { doc, seq, epoch: 2, peer: 'p', counter: seq, at, chain: '', payload, nodeId: 'node-a' };
}

/** A cluster whose documents have `length` ops, and whose followers the test holds in its hand. */
function clusterWith(length: number | null) {
  const cluster = { length };
  const follows: { doc: string; from: FollowFrom; follower: Follower; closed: boolean }[] = [];
  const reads: number[] = [];
  const visitor = scriptedVisitor({
    control: async (_session, name, params) => {
      expect(name).toBe('doc.read');
      const { doc, after, limit } = params as { doc: string; after: number; limit: number };
      if (cluster.length === null) throw new BackplaneError('DOCUMENT_UNKNOWN', 'never written');
      if (limit > 1) reads.push(after);
      const seqs = [];
      const last = Math.min(after + limit, cluster.length);
      for (let seq = after + 1; seq <= last; seq++) seqs.push(seq);
      const ops = seqs.map((seq) => ({ ...opAt(doc, seq), payload: btoa(String(seq)) }));
      return { ops, end: { seq: cluster.length, chain: '' } };
    },
    follow: async (doc, from, follower) => {
      const follow = { doc, from, follower, closed: false };
      follows.push(follow);
      const seq = () => (from === 'now' ? (cluster.length ?? 0) : from);
      return {
        seq,
        close: async () => {
          follow.closed = true;
        },
      };
    },
  });
  const sessions = readOnlySessions([sessionRecord('s', 'node-a')]);
  const following = async (count: number) => {
    while (follows.length < count) await new Promise(setImmediate);
    return follows[count - 1] as (typeof follows)[number];
  };
  const parts = { visitor, sessions, clock: new ManualClock() };
  return { cluster, parts, follows, following, reads };
}

describe('following documents', () => {
  test('gives every line the same keys', async () => {
    const { parts, following } = clusterWith(4);
    const lines = followDocuments(parts, ['d'], { since: 4 });
    const first = lines.next();
    const { follower } = await following(1);
    follower.ops([opAt('d', 5, '{"x":1}')]);
    follower.awareness?.([{ doc: 'd', peer: 'q', clock: 1, state: null }]);
    follower.owner?.({ doc: 'd', nodeId: 'node-b', session: 's2', epoch: 3, change: 'owned' });
    expect((await first).value).toEqual({
      type: 'op',
      doc: 'd',
      seq: 5,
      epoch: 2,
      nodeId: 'node-a',
      peer: 'p',
      opId: 'p:5',
      at: '2026-01-01T00:00:00.250Z',
      payload: { x: 1 },
      encoding: 'json',
      hop: 'live',
    });
    const awareness = (await lines.next()).value;
    expect(awareness).toMatchObject({ type: 'awareness', peer: 'q', payload: null, seq: null });
    const lease = (await lines.next()).value;
    expect(lease).toMatchObject({ type: 'lease', nodeId: 'node-b', epoch: 3 });
    expect(lease?.payload).toEqual({ change: 'owned', session: 's2' });
    for (const line of [awareness, lease]) {
      expect(Object.keys(line ?? {}).sort()).toEqual(Object.keys((await first).value ?? {}).sort());
    }
    await lines.return(undefined);
  });

  test('keeps the bytes of an op although the bus uses its buffer again', async () => {
    const { parts, following } = clusterWith(0);
    const lines = followDocuments(parts, ['d'], { since: 0 });
    const first = lines.next();
    const op = opAt('d', 1, '"kept"');
    (await following(1)).follower.ops([op]);
    op.payload.fill(0);
    expect((await first).value?.payload).toBe('kept');
    await lines.return(undefined);
  });

  test('starts at the beginning of a document nobody has written, and says so', async () => {
    const { parts, following } = clusterWith(null);
    const unknown: string[] = [];
    const lines = followDocuments(parts, ['d'], { onUnknown: (doc) => void unknown.push(doc) });
    const first = lines.next();
    const follow = await following(1);
    expect(follow.from).toBe(0);
    expect(unknown).toEqual(['d']);
    follow.follower.ops([opAt('d', 1)]);
    await first;
    await lines.return(undefined);
    expect(follow.closed).toBe(true);
  });

  test('replays a long log only as fast as it is read', async () => {
    const { parts, following, reads } = clusterWith(30_000);
    const lines = followDocuments(parts, ['d'], { since: 0 });
    expect((await lines.next()).value).toMatchObject({ seq: 1, nodeId: null, hop: 'log' });
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    expect(reads.length).toBeLessThan(12);
    for (let seq = 2; seq <= 30_000; seq++) expect((await lines.next()).value?.seq).toBe(seq);
    expect((await following(1)).from).toBe(30_000);
    await lines.return(undefined);
  });

  test('reads again from the log what a slow reader had no room for', async () => {
    const { cluster, parts, following, follows } = clusterWith(0);
    const total = 20_000;
    const lines = followDocuments(parts, ['d'], { since: 0 });
    const first = lines.next();
    const { follower } = await following(1);
    cluster.length = total;
    for (let seq = 1; seq <= total; seq++) follower.ops([opAt('d', seq)]);
    const seqs: number[] = [(await first).value?.seq as number];
    let dropped = 0;
    for await (const line of lines) {
      if (line.type === 'dropped') dropped++;
      else seqs.push(line.seq as number);
      if (seqs.length === total) break;
    }
    expect(seqs).toEqual(Array.from({ length: total }, (_, index) => index + 1));
    expect(dropped).toBe(1);
    expect(follows[0]?.closed).toBe(true);
  });

  test('refuses to start behind the end of the log', async () => {
    const { parts } = clusterWith(5);
    const lines = followDocuments(parts, ['d'], { since: 6 });
    await expect(lines.next()).rejects.toMatchObject({ code: 'USAGE', facts: { seq: 5 } });
  });

  test('hands out what it has before it throws what ended the feed', async () => {
    const { parts, following } = clusterWith(1);
    const lines = followDocuments(parts, ['d']);
    const first = lines.next();
    const { follower } = await following(1);
    follower.ops([opAt('d', 2)]);
    follower.failed(new BackplaneError('LOG_REWOUND', 'it lost ops'));
    expect((await first).value?.seq).toBe(2);
    await expect(lines.next()).rejects.toMatchObject({ code: 'LOG_REWOUND' });
  });

  test('ends without an error when it is asked to', async () => {
    const { parts, following } = clusterWith(1);
    const stop = new AbortController();
    const lines = followDocuments(parts, ['d'], { signal: stop.signal });
    const first = lines.next();
    const follow = await following(1);
    stop.abort();
    expect(await first).toEqual({ done: true, value: undefined });
    expect(follow.closed).toBe(true);
  });

  test('rides out a short outage of the backplane, and fails after a long one', async () => {
    const { parts, following } = clusterWith(1);
    const outage = { untilMs: 6_000 };
    const sessions = {
      ...parts.sessions,
      list: async () => {
        const nowMs = parts.clock.monotonicMs();
        if (nowMs === 0 || nowMs > outage.untilMs) return parts.sessions.list();
        throw new BackplaneError('BACKPLANE_UNREACHABLE', 'nobody answers');
      },
    };
    const lines = followDocuments({ ...parts, sessions }, ['d'], { outageMsMax: 8_000 });
    const first = lines.next();
    const { follower } = await following(1);
    while (parts.clock.monotonicMs() < 20_000) await new Promise(setImmediate);
    follower.ops([opAt('d', 2)]);
    expect((await first).value?.seq).toBe(2);
    outage.untilMs = Number.POSITIVE_INFINITY;
    await expect(lines.next()).rejects.toMatchObject({ code: 'BACKPLANE_UNREACHABLE' });
  });

  test('fails with NO_NODES when no node is alive', async () => {
    const { parts } = clusterWith(1);
    const lines = followDocuments({ ...parts, sessions: readOnlySessions([]) }, ['d']);
    await expect(lines.next()).rejects.toMatchObject({ code: 'NO_NODES' });
  });
});

describe('a time for people', () => {
  test('is written as the platform would', () => {
    for (const ms of [0, 951_782_400_000, 1_709_164_799_999, 4_107_542_399_999]) {
      expect(isoTime(ms)).toBe(new Date(ms).toISOString());
    }
  });

  test('is null when no calendar shows it', () => {
    for (const ms of [Number.NaN, Number.POSITIVE_INFINITY, 8.65e15, -1]) {
      expect(isoTime(ms)).toBeNull();
    }
  });
});
