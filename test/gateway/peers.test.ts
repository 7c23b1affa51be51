import { describe, expect, it } from 'vitest';
import { GatewayWorld } from './support/gateway-world.ts';

const op = (counter: number, payload: unknown, peer = 'p1') => ({
  type: 'op',
  doc: 'd',
  peer,
  counter,
  ref: counter,
  payload,
});

describe('a peer at the gateway', () => {
  it('is welcomed with the node, its session and the bounds', async () => {
    await using world = new GatewayWorld();
    const { node, address } = await world.serve('a');
    const peer = await world.peer(address);
    expect(peer.messages[0]).toMatchObject({
      type: 'welcome',
      nodeId: 'a',
      session: node.session(),
      limits: { unackedMax: 256, documentsMax: 256 },
    });
    expect(peer.socket.protocol).toBe('backplane.v1');
  });

  it('gets an ack for an op, and every follower the op', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const writer = await world.peer(address);
    const reader = await world.peer(address);
    reader.send({ type: 'join', doc: 'd' });
    expect(await reader.next('joined')).toMatchObject({ doc: 'd', seq: 0 });
    writer.send(op(1, { title: 'one' }));
    expect(await writer.next('ack')).toEqual({
      type: 'ack',
      ref: 1,
      doc: 'd',
      opId: 'p1:1',
      seq: 1,
      epoch: 1,
    });
    expect(await reader.next('ops')).toMatchObject({
      doc: 'd',
      ops: [{ seq: 1, epoch: 1, opId: 'p1:1', payload: { title: 'one' } }],
    });
  });

  it('gets the first seq again when it sends an op twice', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const peer = await world.peer(address);
    peer.send(op(1, 1));
    await peer.next('ack');
    peer.send({ ...op(1, 1), ref: 7 });
    expect(await peer.next('ack')).toMatchObject({ ref: 7, seq: 1 });
  });

  it('is told which counter is missing', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const peer = await world.peer(address);
    peer.send(op(3, 1));
    expect(await peer.next('refused')).toMatchObject({
      ref: 3,
      code: 'OP_GAP',
      certainty: 'definite',
      facts: { expected: 1 },
    });
  });

  it('replays the ops after `since`, then goes on live, without a gap', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a');
    const b = await world.serve('b');
    const writer = await world.peer(a.address);
    for (let counter = 1; counter <= 20; counter++) writer.send(op(counter, counter));
    await writer.until(() => writer.messages.filter(({ type }) => type === 'ack').length === 20);
    const reader = await world.peer(b.address);
    reader.send({ type: 'join', doc: 'd', since: 5 });
    for (let counter = 21; counter <= 40; counter++) writer.send(op(counter, counter));
    await reader.until(() => reader.ops('d').length === 35);
    expect((await reader.next('joined')).seq).toBe(5);
    const seqs = reader.ops('d').map(({ seq }) => seq);
    expect(seqs).toEqual(Array.from({ length: 35 }, (_, index) => index + 6));
  });

  it('begins with the state when it asks for it', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const peer = await world.peer(address);
    peer.send({ type: 'join', doc: 'd', state: true });
    expect(await peer.next('joined')).toMatchObject({ seq: 0, state: null });
    peer.send(op(1, { a: 1 }));
    peer.send(op(2, { b: 2 }));
    await peer.until(() => peer.ops('d').length === 2);
    peer.send({ type: 'join', doc: 'd', state: true });
    expect(await peer.next('joined')).toMatchObject({ seq: 2, epoch: 1, state: { a: 1, b: 2 } });
    peer.send(op(3, { c: 3 }));
    await peer.until(() => peer.ops('d').some(({ seq }) => seq === 3));
  });

  it('is told when it has more of the log than there is', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const peer = await world.peer(address);
    peer.send({ type: 'join', doc: 'd', since: 12 });
    expect(await peer.next('failed')).toMatchObject({ doc: 'd', code: 'LOG_REWOUND' });
  });

  it('hears nothing of a document it has left', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const peer = await world.peer(address);
    peer.send({ type: 'join', doc: 'd' });
    await peer.next('joined');
    peer.send({ type: 'leave', doc: 'd' });
    peer.send(op(1, 1));
    await peer.next('ack');
    peer.send({ type: 'ping' });
    await peer.next('pong');
    expect(peer.ops('d')).toEqual([]);
  });

  it('carries bytes as bytes, and never sends poisonous JSON as JSON', async () => {
    await using world = new GatewayWorld();
    const { node, address } = await world.serve('a', { engine: 'log' });
    const peer = await world.peer(address);
    peer.send({ type: 'join', doc: 'd' });
    await peer.next('joined');
    const payloadBase64 = Buffer.from([0, 255, 1]).toString('base64');
    peer.send({ type: 'op', doc: 'd', peer: 'p1', counter: 1, ref: 1, payloadBase64 });
    const poison = Buffer.from('{"__proto__":{"admin":true}}');
    await peer.next('ack');
    await node.submit('d', { peer: 'cli', counter: 1, payload: poison });
    await peer.until(() => peer.ops('d').length === 2);
    expect(peer.ops('d')).toMatchObject([
      { payloadBase64 },
      { payloadBase64: poison.toString('base64') },
    ]);
  });

  it('calls a method of the owner and gets its reply, or its error', async () => {
    await using world = new GatewayWorld();
    const { node, address } = await world.serve('a');
    node.handle('double', ({ payload }) => Buffer.from(String(2 * Number(payload))));
    const peer = await world.peer(address);
    peer.send(op(1, 1));
    await peer.next('ack');
    peer.send({ type: 'rpc', doc: 'd', method: 'double', ref: 1, payload: 21 });
    expect(await peer.next('reply')).toEqual({ type: 'reply', ref: 1, nodeId: 'a', payload: 42 });
    peer.send({ type: 'rpc', doc: 'd', method: 'constructor', ref: 2, payload: null });
    expect(await peer.next('refused')).toMatchObject({ ref: 2, code: 'METHOD_UNKNOWN' });
  });

  it('shows its awareness to others on every node, and takes it along when its connection ends', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a');
    const b = await world.serve('b');
    const one = await world.peer(a.address);
    const other = await world.peer(b.address);
    other.send({ type: 'join', doc: 'd' });
    await other.next('joined');
    one.send({ type: 'join', doc: 'd' });
    one.send({ type: 'awareness', doc: 'd', peer: 'p1', state: { cursor: 3 } });
    const seen = await other.next('awareness');
    expect(seen).toMatchObject({ doc: 'd', changes: [{ peer: 'p1', state: { cursor: 3 } }] });
    await one.terminate();
    expect(await other.next('awareness')).toMatchObject({ changes: [{ peer: 'p1', state: null }] });
    expect(one.messages.filter(({ type }) => type === 'awareness')).toEqual([]);
  });

  it('keeps its awareness when it reconnects before its old connection was given up', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const before = await world.peer(address);
    const after = await world.peer(address);
    const other = await world.peer(address);
    before.send({ type: 'awareness', doc: 'd', peer: 'p1', state: 1 });
    before.send({ type: 'ping' });
    await before.next('pong');
    after.send({ type: 'awareness', doc: 'd', peer: 'p1', state: 2 });
    after.send({ type: 'ping' });
    await after.next('pong');
    await before.terminate();
    other.send({ type: 'join', doc: 'd' });
    expect(await other.next('awareness')).toMatchObject({ changes: [{ peer: 'p1', state: 2 }] });
  });

  it('is counted while it is connected', async () => {
    await using world = new GatewayWorld();
    const { node, address } = await world.serve('a');
    const peer = await world.peer(address);
    expect(node.metrics().gauges.connections).toBe(1);
    await peer.terminate();
    await peer.until(() => node.metrics().gauges.connections === 0);
  });
});
