import { describe, expect, test } from 'vitest';
import { describeNode } from '../../src/operations/inspect/describe-node.ts';
import { listNodes } from '../../src/operations/inspect/list-nodes.ts';
import { readOnlySessions, sessionRecord } from './support/session-record.ts';

const states = async (...records: ReturnType<typeof sessionRecord>[]) =>
  (await listNodes(readOnlySessions(records), { all: true })).map((node) => node.state);

describe('listing nodes', () => {
  test('gives every key scripts may rely on', async () => {
    const [node] = await listNodes(readOnlySessions([sessionRecord('s1', 'node-a')]));
    expect(node).toEqual({
      nodeId: 'node-a',
      session: 's1',
      state: 'live',
      address: 'http://127.0.0.1:7420',
      pid: 4_242,
      version: '0.1.0',
      startedAt: '2026-01-01T00:00:00.000Z',
      lastBeatAgoMs: 1_000,
      documents: 3,
      connections: 2,
      cause: null,
      configHash: 'c0ffee',
      protocol: 1,
      deaf: false,
      draining: false,
      duplicate: false,
    });
  });

  test('calls a node silent after two heartbeats, even when it is also deaf', async () => {
    const at = (lastBeatAgoMs: number) =>
      sessionRecord('s', 'n', { lastBeatAgoMs, expiresInMs: 30_000 - lastBeatAgoMs });
    expect(await states(at(10_000), at(10_001))).toEqual(['live', 'silent']);
    const deafToo = { lastBeatAgoMs: 11_000, expiresInMs: 19_000, vitals: { deaf: true } };
    expect(await states(sessionRecord('s', 'n', deafToo))).toEqual(['silent']);
  });

  test('calls a node with short leases silent although the default heartbeats did not pass', async () => {
    const late = sessionRecord('s', 'n', { lastBeatAgoMs: 2_500, expiresInMs: 500 });
    expect(await states(late)).toEqual(['silent']);
  });

  test('tells deaf, draining and dead apart', async () => {
    expect(
      await states(
        sessionRecord('1', 'a', { vitals: { deaf: true } }),
        sessionRecord('2', 'b', { vitals: { draining: true } }),
        sessionRecord('3', 'c', { state: 'dead', cause: 'fenced' }),
      ),
    ).toEqual(['deaf', 'draining', 'dead']);
  });

  test('hides who left cleanly unless all are wanted, and never hides who died', async () => {
    const sessions = readOnlySessions([
      sessionRecord('1', 'left', { state: 'dead', cause: 'left' }),
      sessionRecord('2', 'killed', { state: 'dead', cause: 'expired' }),
      sessionRecord('3', 'live'),
    ]);
    const names = async (query: Parameters<typeof listNodes>[1]) =>
      (await listNodes(sessions, query)).map((node) => node.nodeId);
    expect(await names({})).toEqual(['live', 'killed']);
    expect(await names({ all: true })).toEqual(['live', 'killed', 'left']);
    expect(await names({ states: ['dead'] })).toEqual(['killed', 'left']);
  });

  test('marks two live sessions of one nodeId, but not a live one beside its dead past', async () => {
    const nodes = await listNodes(
      readOnlySessions([
        sessionRecord('1', 'twin'),
        sessionRecord('2', 'twin'),
        sessionRecord('3', 'reborn'),
        sessionRecord('4', 'reborn', { state: 'dead', cause: 'expired' }),
      ]),
    );
    const duplicates = nodes.filter((node) => node.duplicate).map((node) => node.session);
    expect(duplicates.sort()).toEqual(['1', '2']);
  });
});

describe('describing a node', () => {
  const sessions = readOnlySessions([
    sessionRecord('old', 'node-a', { state: 'dead', cause: 'fenced', lastBeatAgoMs: 60_000 }),
    sessionRecord('new', 'node-a'),
  ]);

  test('shows its present life first and its past ones beside it', async () => {
    const node = await describeNode(sessions, 'node-a');
    expect(node.session).toBe('new');
    expect(node.others.map(({ session, cause }) => ({ session, cause }))).toEqual([
      { session: 'old', cause: 'fenced' },
    ]);
  });

  test('takes a session id as a name', async () => {
    expect((await describeNode(sessions, 'old')).state).toBe('dead');
  });

  test('fails with NODE_UNKNOWN for a name nobody has', async () => {
    await expect(describeNode(sessions, 'node-z')).rejects.toMatchObject({ code: 'NODE_UNKNOWN' });
  });
});
