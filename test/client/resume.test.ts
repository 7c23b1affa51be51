import { describe, expect, it, vi } from 'vitest';
import { type ConnectOptions, connect } from '../../src/client/index.ts';
import { GatewayWorld } from '../gateway/support/gateway-world.ts';
import { CutProxy } from './support/cut-proxy.ts';

const soon = { timeout: 4_500, interval: 5 };

function join(world: GatewayWorld, options: ConnectOptions) {
  const settings = { reconnectMsMax: 100, ...options };
  return world.track(connect(settings), (client) => client.close());
}

describe('a client whose connection ends', () => {
  it('sends again what was not answered, gets the same seq, and nothing is applied twice', async () => {
    await using world = new GatewayWorld();
    const { node, address } = await world.serve('a');
    const proxy = world.track(await CutProxy.open(address), (open) => open.close());
    const client = join(world, { urls: proxy.address });
    const handle = client.open('d', { since: 0 });
    const seen: number[] = [];
    handle.on('op', ({ seq }) => seen.push(seq));
    expect((await handle.send('first')).seq).toBe(1);
    // The node stores them, and nobody hears of it.
    proxy.swallowAnswers();
    const sent = Promise.all(['a', 'b', 'c'].map((payload) => handle.send(payload)));
    await vi.waitFor(async () => expect((await node.readState('d')).seq).toBe(4), soon);
    expect(handle.unacknowledged).toBe(3);
    proxy.swallowAnswers(false);
    proxy.cut();
    expect((await sent).map(({ seq, opId }) => [seq, opId])).toEqual([
      [2, `${handle.peer}:2`],
      [3, `${handle.peer}:3`],
      [4, `${handle.peer}:4`],
    ]);
    expect((await handle.send('last')).seq).toBe(5);
    await vi.waitFor(() => expect(seen).toEqual([1, 2, 3, 4, 5]), soon);
    expect((await node.readState('d')).seq).toBe(5);
    expect(proxy.connections).toBe(2);
  });

  it('applies every op once and in order, however often the connection is cut', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a', { engine: 'log' });
    const proxy = world.track(await CutProxy.open(address), (open) => open.close());
    const handle = join(world, { urls: proxy.address, reconnectMsMax: 5 }).open('d', { since: 0 });
    const seen: unknown[] = [];
    handle.on('op', ({ payload }) => seen.push(payload));
    const sent: Promise<{ seq: number }>[] = [];
    for (let round = 1; round <= 30; round++) {
      for (let n = 0; n < 10; n++) sent.push(handle.send(sent.length));
      // Each cut falls somewhere else: before the ops arrive, among the acks, or after them.
      for (let turn = 0; turn < round % 7; turn++) await new Promise((go) => setImmediate(go));
      if (round % 5 === 0) await Promise.all(sent);
      else proxy.cut();
    }
    const acks = await Promise.all(sent);
    expect(acks.map(({ seq }) => seq)).toEqual(acks.map((_, index) => index + 1));
    await vi.waitFor(() => expect(seen).toEqual(acks.map((_, index) => index)), soon);
    expect(proxy.connections).toBeGreaterThan(5);
  }, 20_000);

  it('goes to the next node, and receives there what it missed', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a');
    const b = await world.serve('b');
    const reader = join(world, { urls: [a.address, b.address] });
    const handle = reader.open('d', { since: 0 });
    const seen: unknown[] = [];
    handle.on('op', ({ payload }) => seen.push(payload));
    const writer = join(world, { urls: b.address }).open('d');
    await writer.send(1);
    await vi.waitFor(() => expect(seen).toEqual([1]), soon);
    expect(reader.nodeId).toBe('a');
    await a.node.stop('crash');
    await a.gateway.stop();
    for (const n of [2, 3]) await writer.send(n);
    await vi.waitFor(() => expect(seen).toEqual([1, 2, 3]), soon);
    expect(reader.nodeId).toBe('b');
  });

  it('loses no acknowledged op and no order when nodes go one after the other under load', async () => {
    await using world = new GatewayWorld();
    const [a, b, c] = [await world.serve('a'), await world.serve('b'), await world.serve('c')];
    const client = join(world, { urls: [a.address, b.address, c.address] });
    const handle = client.open('d', { since: 0 });
    const seen: unknown[] = [];
    handle.on('op', ({ payload }) => seen.push(payload));
    const sent: Promise<{ seq: number }>[] = [];
    const sendSome = async () => {
      for (let round = 0; round < 20; round++) {
        for (let n = 0; n < 5; n++) sent.push(handle.send(sent.length));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await sendSome();
    const gone = (async () => {
      await a.node.drain();
      await a.gateway.stop();
      await a.node.stop();
    })();
    await sendSome();
    await gone;
    await sendSome();
    const crashed = b.node.stop('crash').then(() => b.gateway.stop());
    await sendSome();
    await crashed;
    const acks = await Promise.all(sent);
    expect(acks.map(({ seq }) => seq)).toEqual(acks.map((_, index) => index + 1));
    await vi.waitFor(() => expect(seen).toHaveLength(400), soon);
    expect(seen).toEqual(acks.map((_, index) => index));
    expect(client.nodeId).toBe('c');
  }, 20_000);

  it('leaves a node that drains, as late as it was told to come back', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a');
    const b = await world.serve('b');
    const client = join(world, { urls: [a.address, b.address] });
    await client.connected();
    const states: string[] = [];
    client.on('state', (state) => states.push(state));
    await a.node.drain();
    await vi.waitFor(() => expect(client.nodeId).toBe('b'), soon);
    expect(states).toEqual(['waiting', 'connecting', 'connected']);
    expect((await client.open('d').send(1)).seq).toBe(1);
  });

  it('notices a connection that went silent, and makes another', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const proxy = world.track(await CutProxy.open(address), (open) => open.close());
    const client = join(world, { urls: proxy.address, pingMs: 40 });
    await client.connected();
    const states: string[] = [];
    client.on('state', (state) => states.push(state));
    proxy.swallowAnswers();
    await vi.waitFor(() => expect(states).toContain('waiting'), soon);
    proxy.swallowAnswers(false);
    await vi.waitFor(() => expect(client.state).toBe('connected'), soon);
  });

  it('gives up a node that never says welcome, and tries the next', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const proxy = world.track(await CutProxy.open(address), (open) => open.close());
    proxy.swallowAnswers();
    const client = join(world, { urls: [proxy.address, address], connectMs: 100 });
    await client.connected();
    expect(client.state).toBe('connected');
  });

  it('keeps trying while nobody answers, and keeps what was sent meanwhile', async () => {
    await using world = new GatewayWorld();
    const early = await world.gateway();
    const { port } = new URL(early.address());
    await early.stop();
    const client = join(world, { urls: early.address() });
    const sent = client.open('d').send('patient');
    await vi.waitFor(() => expect(client.state).toBe('waiting'), soon);
    const { gateway } = await world.serve('a', { port: Number(port) });
    expect(gateway.address()).toBe(early.address());
    expect(await sent).toMatchObject({ seq: 1 });
  });

  it('forgets who was there while it is away, and learns it again', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const proxy = world.track(await CutProxy.open(address), (open) => open.close());
    const other = join(world, { urls: address }).open('d');
    const handle = join(world, { urls: proxy.address }).open('d');
    const events: unknown[] = [];
    handle.on('awareness', ({ state }) => events.push(state));
    handle.setAwareness('me');
    other.setAwareness('you');
    other.on('awareness', () => {});
    await vi.waitFor(() => expect(events).toEqual(['you']), soon);
    await vi.waitFor(() => expect([...other.awareness.values()]).toEqual(['me']), soon);
    proxy.cut();
    await vi.waitFor(() => expect(events).toEqual(['you', null, 'you']), soon);
    await vi.waitFor(() => expect([...other.awareness.values()]).toEqual(['me']), soon);
  });

  it('says so when the log is shorter than what it has seen, and sends nothing more', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const client = join(world, { urls: address });
    const handle = client.open('d', { since: 7 });
    const error = await new Promise((resolve) => handle.on('lost', resolve));
    expect(error).toMatchObject({ code: 'LOG_REWOUND' });
    await expect(handle.send(1)).rejects.toMatchObject({ code: 'LOG_REWOUND' });
    await expect(handle[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'LOG_REWOUND',
    });
    expect(await client.open('d', { since: 0 }).send(1)).toMatchObject({ seq: 1 });
  });
});
