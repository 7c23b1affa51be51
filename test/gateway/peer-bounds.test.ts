import { createConnection, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { closeCodes } from '../../src/foundation/peer-protocol.ts';
import { Secret } from '../../src/foundation/secret.ts';
import { GatewayWorld } from './support/gateway-world.ts';
import { RawPeer } from './support/raw-peer.ts';

const op = (counter: number, payload: unknown) => ({
  type: 'op',
  doc: 'd',
  peer: 'p1',
  counter,
  ref: counter,
  payload,
});

describe('what a peer may do is bounded', () => {
  it.each([
    ['is not JSON', '{"type":'],
    ['has an unknown type', '{"type":"shutdown"}'],
    ['has an unknown field', '{"type":"join","doc":"d","admin":true}'],
    ['lacks a field', '{"type":"op","doc":"d","peer":"p","counter":1,"payload":1}'],
    ['has both kinds of payload', `${JSON.stringify(op(1, 1)).slice(0, -1)},"payloadBase64":""}`],
    ['has no payload', '{"type":"rpc","doc":"d","method":"m","ref":1}'],
    [
      'has base64 that is none',
      '{"type":"rpc","doc":"d","method":"m","ref":1,"payloadBase64":"!"}',
    ],
    [
      'has __proto__',
      '{"type":"op","doc":"d","peer":"p","counter":1,"ref":1,"payload":{"__proto__":{}}}',
    ],
    [
      'is nested too deep',
      JSON.stringify(op(1, 0)).replace(
        '"payload":0',
        `"payload":${'['.repeat(80)}${']'.repeat(80)}`,
      ),
    ],
    ['counts from zero', JSON.stringify(op(0, 1))],
    ['names no document', '{"type":"join","doc":""}'],
    ['names a document with control characters', '{"type":"join","doc":"a\\u0007"}'],
    ['names an impossible peer', JSON.stringify({ ...op(1, 1), peer: 'a b' })],
    ['says hello again', '{"type":"hello","peerProtocol":1}'],
  ])('closes the connection when a message %s', async (_, text) => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const peer = await world.peer(address);
    peer.sendText(text);
    const { code, reason } = await peer.end();
    expect(code).toBe(closeCodes.messageInvalid);
    expect(reason).toMatch(/^(REQUEST|NAME)_INVALID: /);
  });

  it('closes the connection when a message is binary, or comes before hello', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const binary = await world.peer(address);
    binary.socket.send(Buffer.from('{"type":"ping"}'));
    expect((await binary.end()).code).toBe(closeCodes.messageInvalid);
    const rude = RawPeer.connect(address);
    rude.send({ type: 'ping' });
    expect((await rude.end()).code).toBe(closeCodes.messageInvalid);
  });

  it('closes the connection of a later protocol, and of a peer that never says hello', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a', { bounds: { helloMs: 50 } });
    const later = RawPeer.connect(address);
    later.send({ type: 'hello', peerProtocol: 2 });
    expect((await later.end()).code).toBe(closeCodes.protocolUnknown);
    const silent = RawPeer.connect(address);
    expect((await silent.end()).code).toBe(closeCodes.helloMissing);
  });

  it('closes with 1009 and a reason when a message is too large', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const peer = await world.peer(address);
    peer.send(op(1, 'x'.repeat(1_200_000)));
    const { code, reason } = await peer.end();
    expect(code).toBe(closeCodes.messageTooLarge);
    expect(reason).toContain('larger');
  });

  it('takes a payload up to the limit, and refuses one above it', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const peer = await world.peer(address);
    peer.send(op(1, 'x'.repeat(1_048_576 - 2)));
    expect(await peer.next('ack')).toMatchObject({ seq: 1 });
    peer.send(op(2, 'x'.repeat(1_048_576 - 1)));
    expect(await peer.next('refused')).toMatchObject({ ref: 2, code: 'PAYLOAD_TOO_LARGE' });
  });

  it('follows no more documents than a connection may, and says so', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a', { bounds: { documentsMax: 2 } });
    const peer = await world.peer(address);
    for (const doc of ['one', 'two', 'three', 'two']) peer.send({ type: 'join', doc });
    expect(await peer.next('failed')).toMatchObject({ doc: 'three', code: 'OVERLOADED' });
    await peer.until(() => peer.messages.filter(({ type }) => type === 'joined').length >= 2);
    peer.send({ type: 'leave', doc: 'one' });
    peer.send({ type: 'join', doc: 'three' });
    await peer.until(() =>
      peer.messages.some(({ type, doc }) => type === 'joined' && doc === 'three'),
    );
  });

  it('has no more requests under way than it may, in number and in bytes', async () => {
    await using world = new GatewayWorld();
    const { node, address } = await world.serve('a', {
      bounds: { unackedMax: 2, unackedBytesMax: 1_000 },
    });
    await node.submit('d', { peer: 'w', counter: 1, payload: Buffer.from('1') });
    const gate = Promise.withResolvers<void>();
    node.handle('wait', async ({ payload }) => {
      await gate.promise;
      return payload;
    });
    const call = (ref: number, payload: unknown) => ({
      type: 'rpc',
      doc: 'd',
      method: 'wait',
      ref,
      payload,
    });
    const many = await world.peer(address);
    for (const ref of [1, 2, 3]) many.send(call(ref, 1));
    expect(await many.next('refused')).toMatchObject({
      ref: 3,
      code: 'OVERLOADED',
      certainty: 'definite',
    });
    const large = await world.peer(address);
    large.send(call(1, 'x'.repeat(900)));
    large.send(call(2, 'x'.repeat(900)));
    expect(await large.next('refused')).toMatchObject({ ref: 2, code: 'OVERLOADED' });
    gate.resolve();
    await many.until(() => many.messages.filter(({ type }) => type === 'reply').length === 2);
    many.send(call(4, 1));
    await many.until(() => many.messages.some(({ type, ref }) => type === 'reply' && ref === 4));
  });

  it('sets awareness for no more peers than it may', async () => {
    await using world = new GatewayWorld();
    const { node, address } = await world.serve('a', { bounds: { awarenessMax: 2 } });
    const seen = new Set<string>();
    await node.follow('d', 'now', {
      ops() {},
      failed() {},
      awareness: (changes) => changes.forEach(({ peer }) => void seen.add(peer)),
    });
    const peer = await world.peer(address);
    for (const name of ['p1', 'p2', 'p3', 'p1']) {
      peer.send({ type: 'awareness', doc: 'd', peer: name, state: name });
    }
    peer.send({ type: 'ping' });
    await peer.next('pong');
    expect([...seen]).toEqual(['p1', 'p2']);
  });

  it('cuts off a peer that does not read, and no other', async () => {
    await using world = new GatewayWorld();
    const { node, address } = await world.serve('a', {
      bounds: { queueBytesMax: 200_000, closeMs: 200 },
    });
    const slow = await world.peer(address);
    const quick = await world.peer(address);
    for (const peer of [slow, quick]) peer.send({ type: 'join', doc: 'd' });
    await slow.next('joined');
    await quick.next('joined');
    slow.socket.pause();
    const payload = Buffer.from(JSON.stringify('x'.repeat(100_000)));
    let counter = 0;
    // What the kernel takes is not ours to bound, so write until it takes no more.
    await quick.until(() => {
      counter += 1;
      void node.submit('d', { peer: 'w', counter, payload });
      return node.metrics().gauges.connections === 1;
    });
    slow.socket.resume();
    expect((await slow.end()).code).not.toBe(1000);
    expect(quick.closed).toBe(null);
    const page = await (await fetch(`${address}/metrics`)).text();
    expect(page).toContain('backplane_gateway_peers_cut_total{reason="slow-peer"} 1');
  });

  it('catches up with a log far larger than its queue without being cut off', async () => {
    await using world = new GatewayWorld();
    const { node, address } = await world.serve('a', { bounds: { queueBytesMax: 6_000_000 } });
    const payload = Buffer.from(JSON.stringify('x'.repeat(250_000)));
    for (let counter = 1; counter <= 100; counter++) {
      await node.submit('d', { peer: 'w', counter, payload });
    }
    const peer = await world.peer(address);
    peer.send({ type: 'join', doc: 'd', since: 0 });
    await peer.until(() => peer.ops('d').length === 100 || peer.closed);
    expect(peer.ops('d').map(({ seq }) => seq)).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
  });

  it('gives up a peer that answers no ping', async () => {
    await using world = new GatewayWorld();
    const { node, address } = await world.serve('a', { bounds: { keepAliveMs: 50 } });
    const peer = await world.peer(address);
    const halfOpen = await halfOpenPeer(address);
    await peer.until(() => node.metrics().gauges.connections === 2);
    await peer.until(() => node.metrics().gauges.connections === 1);
    expect(peer.closed).toBe(null);
    halfOpen.destroy();
  });

  it('refuses more peers than the node takes', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a', { bounds: { peersMax: 1 } });
    await world.peer(address);
    const second = RawPeer.connect(address);
    await second.end();
    expect(second.status).toBe(503);
  });
});

describe('who may be a peer', () => {
  const connect = async (address: string, options: Parameters<typeof RawPeer.connect>[1]) => {
    const peer = RawPeer.connect(address, options);
    peer.send({ type: 'hello', peerProtocol: 1 });
    await peer.until(() => peer.messages.length > 0 || peer.closed);
    return peer;
  };

  it('comes in with the right token, in each of the three places', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a', { token: new Secret('s3cret/ü') });
    const encoded = Buffer.from('s3cret/ü').toString('base64url');
    const ways = [
      { protocols: ['backplane.v1', `backplane.token.${encoded}`] },
      { query: `?token=${encodeURIComponent('s3cret/ü')}` },
    ];
    for (const way of ways) {
      const peer = await connect(address, way);
      expect(peer.messages[0]?.type).toBe('welcome');
      expect(peer.socket.protocol).toBe('backplane.v1');
      await peer.terminate();
    }
    const ascii = await world.serve('b', { token: new Secret('plain') });
    const bearer = await connect(ascii.address, { headers: { authorization: 'Bearer plain' } });
    expect(bearer.messages[0]?.type).toBe('welcome');
    await bearer.terminate();
    expect(world.logged.join('\n')).not.toMatch(/s3cret|plain/);
  });

  it.each([
    ['no token', {}],
    ['a wrong token', { headers: { authorization: 'Bearer wrong' } }],
    ['a prefix of the token', { headers: { authorization: 'Bearer s3cre' } }],
    ['a wrong subprotocol', { protocols: ['backplane.v1', 'backplane.token.eHg'] }],
    ['a wrong query', { query: '?token=' }],
  ])('is closed with 4401 when it shows %s', async (_, options) => {
    await using world = new GatewayWorld();
    const { node, address } = await world.serve('a', { token: new Secret('s3cret') });
    const peer = await connect(address, options);
    expect((await peer.end()).code).toBe(closeCodes.unauthorized);
    expect(peer.messages).toEqual([]);
    expect(node.metrics().gauges.connections).toBe(0);
  });

  it.each([
    ['under a foreign Host', { headers: { host: 'evil.example:7420' } }, 421],
    ['from the page of another site', { headers: { origin: 'https://evil.example' } }, 403],
    ['from a page without an origin', { headers: { origin: 'null' } }, 403],
    ['without our subprotocol', { protocols: ['chat'] }, 400],
  ])('is refused %s', async (_, options, status) => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const peer = await connect(address, options);
    expect(peer.status).toBe(status);
  });

  it.each([
    { origin: 'http://localhost:5173' },
    { origin: 'http://127.0.0.1:3000', host: 'localhost' },
    { host: '[::1]:7420' },
  ])('comes in from this machine: %o', async (headers) => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const peer = await connect(address, { headers: headers as Record<string, string> });
    expect(peer.messages[0]?.type).toBe('welcome');
    await peer.terminate();
  });
});

/** Shakes hands and says hello by hand, then neither reads nor answers. */
async function halfOpenPeer(address: string): Promise<Socket> {
  const { hostname, port, host } = new URL(address);
  const socket = createConnection(Number(port), hostname);
  socket.on('error', () => {});
  const hello = Buffer.from('{"type":"hello","peerProtocol":1}');
  const frame = Buffer.concat([Buffer.from([0x81, 0x80 | hello.length, 0, 0, 0, 0]), hello]);
  socket.write(
    [
      'GET /v1/peers HTTP/1.1',
      `Host: ${host}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol: backplane.v1',
      '\r\n',
    ].join('\r\n'),
  );
  socket.write(frame);
  return socket;
}
