import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../../src/foundation/errors.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { bytes, connect, idsOf, presenceOf, RecordingDoor, text } from './support/doors.ts';

const says = (value: unknown) => async () => bytes(value);
const never = () => new Promise<Uint8Array>(() => {});

function doorThat(answer: RecordingDoor['answer']): RecordingDoor {
  const door = new RecordingDoor();
  door.answer = answer;
  return door;
}

describe('reaching connections', () => {
  test('a message reaches every connection of a user, on whatever node, each once', async () => {
    const cluster = await MemoryCluster.start(['a', 'b', 'c']);
    const doors = ['a', 'a', 'b', 'c'].map((node) => {
      const door = new RecordingDoor();
      connect(cluster, node, { user: 'ann' }, door);
      return door;
    });
    const other = new RecordingDoor();
    connect(cluster, 'b', { user: 'bob' }, other);
    await cluster.settle();
    const report = await cluster.run(
      presenceOf(cluster, 'b').send({ user: 'ann' }, bytes({ hi: 1 })),
    );
    expect(report).toEqual({ delivered: 4, nodes: ['a', 'b', 'c'], undelivered: [] });
    for (const door of doors) expect(door.messages).toEqual([text({ hi: 1 })]);
    expect(other.messages).toEqual([]);
  });

  test('only nodes with a connection that matches are asked', async () => {
    const cluster = await MemoryCluster.start(['a', 'b', 'c']);
    connect(cluster, 'a', { groups: ['red'] });
    connect(cluster, 'c', { groups: ['blue'] });
    await idsOf(cluster, 'b', {});
    const handled = () => cluster.node('c').counter('requests_handled_total');
    const before = handled();
    await cluster.run(presenceOf(cluster, 'b').send({ group: 'red', hub: 'main' }, bytes(1)));
    expect(handled()).toBe(before);
    expect(cluster.node('a').counter('presence_messages_total')).toBe(1);
  });

  test('a target that is not there is an error at once, after the broker was asked', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    connect(cluster, 'a', { user: 'ann' });
    await idsOf(cluster, 'b', {});
    const presence = presenceOf(cluster, 'b');
    const targets = [
      [{ user: 'eve' }, 'USER_UNKNOWN'],
      [{ group: 'none' }, 'GROUP_UNKNOWN'],
      [{ id: 'c-none' }, 'CONNECTION_UNKNOWN'],
      [{ hub: 'none' }, 'CONNECTION_UNKNOWN'],
      [{ attribute: { key: 'a', glob: '*' } }, 'CONNECTION_UNKNOWN'],
    ] as const;
    for (const [target, code] of targets) {
      const failure = await cluster.failure(presence.send(target, bytes(1)));
      expect(failure).toMatchObject({ code, certainty: 'definite' });
      expect(failure.tookMs).toBeLessThan(100);
    }
    expect(await cluster.failure(presence.join('c-none', 'red'))).toMatchObject({
      code: 'CONNECTION_UNKNOWN',
    });
  });

  test('a connection not heard of yet is found by asking the broker', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    connect(cluster, 'a', {});
    await idsOf(cluster, 'b', {});
    cluster.node('b').bus.filter((frame) => (frame.kind === 'presence' ? 'drop' : undefined));
    const door = new RecordingDoor();
    connect(cluster, 'a', { user: 'new' }, door);
    await cluster.settle();
    const report = await cluster.run(presenceOf(cluster, 'b').send({ user: 'new' }, bytes(1)));
    expect(report.delivered).toBe(1);
  });

  test('invokeOne answers with the first success, and the others are cancelled', async () => {
    const cluster = await MemoryCluster.start(['a', 'b', 'c']);
    const slow = doorThat(never);
    const near = doorThat(never);
    connect(cluster, 'a', { user: 'ann' }, slow);
    connect(cluster, 'b', { user: 'ann' }, near);
    connect(
      cluster,
      'b',
      { user: 'ann' },
      doorThat(() => Promise.reject(new Error('no'))),
    );
    const fast = connect(cluster, 'c', { user: 'ann' }, doorThat(says({ yes: 1 })));
    await idsOf(cluster, 'b', {});
    const answer = await cluster.run(
      presenceOf(cluster, 'b').invokeOne({ user: 'ann' }, 'ask', bytes(null)),
      1_000,
    );
    expect(answer).toMatchObject({ connection: fast.id, nodeId: 'c', status: 'ok' });
    expect(Buffer.from(answer.payload ?? []).toString()).toBe(text({ yes: 1 }));
    await cluster.settle();
    expect(slow.cancelled).toEqual(['ask']);
    expect(near.cancelled).toEqual(['ask']);
  });

  test('invokeOne fails with what went wrong when nobody succeeds', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const failing = doorThat(() => {
      throw new BackplaneError('HANDLER_FAILED', 'broken');
    });
    const { id } = connect(cluster, 'a', { user: 'ann' }, failing);
    connect(cluster, 'b', { user: 'ann' }, doorThat(never));
    await idsOf(cluster, 'b', {});
    const call = presenceOf(cluster, 'b').invokeOne({ user: 'ann' }, 'ask', bytes(1), {
      timeoutMs: 1_000,
    });
    const { code, error, tookMs } = await cluster.failure(call);
    expect(code).toBe('HANDLER_FAILED');
    expect(tookMs).toBeLessThanOrEqual(1_100);
    expect(error.facts?.answers).toHaveLength(2);
    expect(error.facts?.answers).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ connection: id, nodeId: 'a', status: 'failed' }),
        expect.objectContaining({ nodeId: 'b', status: 'timed-out' }),
      ]),
    );
  });

  test('invokeAll names, by connection and node, who failed, timed out or vanished', async () => {
    const cluster = await MemoryCluster.start(['a', 'b', 'c']);
    const inGroup = { groups: ['g'] };
    const ok = connect(cluster, 'a', inGroup, doorThat(says(1)));
    const failed = connect(
      cluster,
      'a',
      inGroup,
      doorThat(() => {
        throw new BackplaneError('METHOD_UNKNOWN', 'no such method');
      }),
    );
    const late = connect(cluster, 'b', inGroup, doorThat(never));
    const dead = connect(cluster, 'c', inGroup, doorThat(never));
    await idsOf(cluster, 'b', {});
    const call = presenceOf(cluster, 'b').invokeAll({ group: 'g' }, 'ask', bytes(1), {
      timeoutMs: 5_000,
    });
    await cluster.advance(100);
    await cluster.node('c').kill();
    const answers = await cluster.run(call);
    const told = Object.fromEntries(
      answers.map(({ connection, nodeId, status, error }) => {
        return [connection, [nodeId, status, error?.code ?? null]];
      }),
    );
    expect(told).toEqual({
      [ok.id]: ['a', 'ok', null],
      [failed.id]: ['a', 'failed', 'METHOD_UNKNOWN'],
      [late.id]: ['b', 'timed-out', 'DEADLINE_EXCEEDED'],
      [dead.id]: ['c', 'vanished', 'RESPONDER_GONE'],
    });
  });

  test('a node that stands still is answered for by the deadline', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const { id } = connect(cluster, 'a', {}, doorThat(says(1)));
    await idsOf(cluster, 'b', {});
    cluster.node('a').pause();
    const call = presenceOf(cluster, 'b').invokeAll({}, 'ask', bytes(1), { timeoutMs: 2_000 });
    expect(await cluster.run(call, 2_100)).toMatchObject([{ connection: id, status: 'timed-out' }]);
  });

  test('a payload above the limit is refused', async () => {
    const cluster = await MemoryCluster.start(['a']);
    connect(cluster, 'a', {});
    await cluster.settle();
    const call = presenceOf(cluster, 'a').send({}, new Uint8Array(600_000));
    expect(await cluster.failure(call)).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });
});

describe('changing connections', () => {
  test('a group is joined and left from any node', async () => {
    const cluster = await MemoryCluster.start(['a', 'b', 'c']);
    const { id } = connect(cluster, 'a', { groups: ['red'] });
    await idsOf(cluster, 'b', {});
    const joined = await cluster.run(presenceOf(cluster, 'b').join(id, 'blue', 'green'));
    expect(joined.groups).toEqual(['blue', 'green', 'red']);
    expect(await idsOf(cluster, 'c', { group: 'green' })).toEqual([id]);
    const left = await cluster.run(presenceOf(cluster, 'c').leave(id, 'red'));
    expect(left.groups).toEqual(['blue', 'green']);
    expect(await idsOf(cluster, 'b', { group: 'red' })).toEqual([]);
  });

  test('changes from two nodes at once are all kept', async () => {
    const cluster = await MemoryCluster.start(['a', 'b', 'c']);
    const { id, read } = connect(cluster, 'a', {});
    for (const node of ['b', 'c']) await idsOf(cluster, node, {});
    const changes = Array.from({ length: 40 }, (_, index) => {
      const presence = presenceOf(cluster, index % 2 ? 'b' : 'c');
      return presence.join(id, `g${index}`);
    });
    await cluster.run(Promise.all(changes));
    expect(read().groups).toHaveLength(40);
    for (const node of ['b', 'c']) {
      const [found] = await cluster.run(presenceOf(cluster, node).find({ id }));
      expect(found?.groups).toHaveLength(40);
    }
  });

  test('groups joined later survive a false death', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const { id } = connect(cluster, 'a', { groups: ['first'] });
    await idsOf(cluster, 'b', {});
    await cluster.run(presenceOf(cluster, 'b').join(id, 'later'));
    const session = cluster.node('a').runtime.session() ?? '';
    const beat = (await cluster.engine.sessions.read(session))?.beat ?? 0;
    await cluster.engine.sessions.fence(session, beat, 'fenced');
    await cluster.until('it to come back', async () => {
      return cluster.node('a').runtime.session() !== session;
    });
    await cluster.advance(30_000);
    const [found] = await cluster.run(presenceOf(cluster, 'b').find({ id }));
    expect(found?.groups).toEqual(['first', 'later']);
  });

  test('a kicked connection is told why, and is gone', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const door = new RecordingDoor();
    const { id } = connect(cluster, 'a', {}, door);
    await idsOf(cluster, 'b', {});
    await cluster.run(presenceOf(cluster, 'b').kick(id, 'bad manners'));
    expect(door.kicks).toEqual(['bad manners']);
    expect(await idsOf(cluster, 'b', {})).toEqual([]);
  });
});
