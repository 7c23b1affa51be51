import { describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type ConnectOptions, connect, type WebSocketConstructor } from '../../src/client/index.ts';
import { GatewayWorld } from './support/gateway-world.ts';
import { RawPeer } from './support/raw-peer.ts';

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const json = (payload: Uint8Array | null) => JSON.parse(Buffer.from(payload ?? []).toString());

function clientOf(world: GatewayWorld, address: string, identity: ConnectOptions['identity']) {
  const socket = WebSocket as unknown as WebSocketConstructor;
  const client = connect({ urls: address, WebSocket: socket, ...(identity && { identity }) });
  return world.track(client, (one) => one.close());
}

describe('a connected peer', () => {
  test('is registered with what it says of itself, under the name it was welcomed with', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const { node: other } = await world.serve('b');
    const identity = { user: 'ann', groups: ['red'], attributes: { device: 'phone' } };
    const client = clientOf(world, address, identity);
    await client.connected();
    await vi.waitFor(async () => {
      const [found] = await other.presence.find({ user: 'ann' });
      expect(found).toMatchObject({ id: client.connection, hub: 'main', groups: ['red'] });
    });
    await client.close();
    await vi.waitFor(async () => expect(await other.presence.find({ hub: 'main' })).toEqual([]));
  });

  test('gets messages and answers invocations, JSON or bytes', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const { node: other } = await world.serve('b');
    const client = clientOf(world, address, { user: 'ann' });
    const heard: unknown[] = [];
    client.onMessage((payload) => heard.push(payload));
    client.handle('double', (payload) => Number(payload) * 2);
    client.handle('fail', () => {
      throw new Error('not today');
    });
    await client.connected();
    await other.presence.send({ user: 'ann' }, bytes({ hi: 'ü' }));
    await other.presence.send({ user: 'ann' }, Uint8Array.of(0, 255));
    await vi.waitFor(() => expect(heard).toEqual([{ hi: 'ü' }, Uint8Array.of(0, 255)]));
    const answer = await other.presence.invokeOne({ user: 'ann' }, 'double', bytes(21));
    expect(answer).toMatchObject({ connection: client.connection, nodeId: 'a', status: 'ok' });
    expect(json(answer.payload)).toBe(42);
    const answers = await other.presence.invokeAll({ user: 'ann' }, 'fail', bytes(1));
    expect(answers).toMatchObject([
      { status: 'failed', error: { code: 'HANDLER_FAILED', message: 'not today' } },
    ]);
    const unknown = await other.presence.invokeAll({ user: 'ann' }, 'nothing', bytes(1));
    expect(unknown).toMatchObject([{ status: 'failed', error: { code: 'METHOD_UNKNOWN' } }]);
  });

  test('is told when another was faster, and vanishes by name when it ends in the middle', async () => {
    await using world = new GatewayWorld();
    const { address, node } = await world.serve('a');
    const slow = clientOf(world, address, { groups: ['g'] });
    let cancelled = false;
    slow.handle('ask', async (_, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      cancelled = true;
    });
    const fast = clientOf(world, address, { groups: ['g'] });
    fast.handle('ask', () => 'me');
    await Promise.all([slow.connected(), fast.connected()]);
    const first = await node.presence.invokeOne({ group: 'g' }, 'ask', bytes(1));
    expect(first.connection).toBe(fast.connection);
    await vi.waitFor(() => expect(cancelled).toBe(true));
    const gone = slow.connection;
    const call = node.presence.invokeAll({ group: 'g' }, 'ask', bytes(1));
    await new Promise((resolve) => setImmediate(resolve));
    await slow.close();
    const answers = await call;
    expect(answers.find(({ connection }) => connection === gone)).toMatchObject({
      status: 'vanished',
      error: { code: 'RESPONDER_GONE' },
    });
  });

  test('that is kicked is told why and does not come back', async () => {
    await using world = new GatewayWorld();
    const { address, node } = await world.serve('a');
    const client = clientOf(world, address, {});
    await client.connected();
    await node.presence.kick(client.connection ?? '', 'bad manners');
    await vi.waitFor(() => expect(client.state).toBe('failed'));
    expect(client.error).toMatchObject({ code: 'KICKED', message: 'bad manners' });
    expect(await node.presence.find({})).toEqual([]);
  });

  test('is whoever the application says, or nobody at all', async () => {
    await using world = new GatewayWorld();
    const { address, node } = await world.serve('a', {
      identify: async ({ claimed, headers }) => {
        if (claimed.user === 'eve') throw new Error('not her');
        return { user: String(headers['x-user']), groups: ['checked'] };
      },
    });
    const peer = RawPeer.connect(address, { headers: { 'x-user': 'ann' } });
    world.track(peer, (one) => one.terminate());
    peer.send({ type: 'hello', peerProtocol: 1, user: 'bob', groups: ['admin'] });
    peer.send({ type: 'ping' });
    const { connection } = await peer.next('welcome');
    await peer.next('pong');
    expect(await node.presence.find({})).toMatchObject([
      { id: connection, user: 'ann', groups: ['checked'] },
    ]);
    const eve = RawPeer.connect(address);
    eve.send({ type: 'hello', peerProtocol: 1, user: 'eve' });
    expect((await eve.end()).code).toBe(4401);
  });

  test('that says nonsense of itself is sent away with the reason', async () => {
    await using world = new GatewayWorld();
    const { address, node } = await world.serve('a');
    const nonsense = [
      { user: '' },
      { hub: 'x'.repeat(200) },
      { groups: ['a\u0007'] },
      { groups: 'red' },
      { attributes: { a: 1 } },
    ];
    for (const claim of nonsense) {
      const peer = RawPeer.connect(address);
      peer.send({ type: 'hello', peerProtocol: 1, ...claim });
      expect(await peer.end(), JSON.stringify(claim)).toMatchObject({ code: 4400 });
    }
    expect(await node.presence.find({})).toEqual([]);
  });

  test('answers nobody asked for are dropped, and answers without a payload are refused', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const peer = await world.peer(address);
    peer.send({ type: 'result', ref: 7, payload: 1 });
    peer.send({ type: 'ping' });
    await peer.next('pong');
    peer.send({ type: 'result', ref: 7 });
    expect((await peer.end()).code).toBe(4400);
  });
});
