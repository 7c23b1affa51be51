import { describe, expect, it, vi } from 'vitest';
import { type ConnectOptions, connect } from '../../src/client/index.ts';
import { GatewayWorld } from '../gateway/support/gateway-world.ts';

const soon = { timeout: 4_500, interval: 5 };

function join(world: GatewayWorld, options: ConnectOptions) {
  return world.track(connect(options), (client) => client.close());
}

describe('a call without a connection', () => {
  it('is sent as soon as there is one', async () => {
    await using world = new GatewayWorld();
    const early = await world.gateway();
    const { port } = new URL(early.address());
    await early.stop();
    const client = join(world, { urls: early.address() });
    const handle = client.open('d');
    const sent = handle.send(1);
    const called = handle.rpc('ping', null, { timeoutMs: 4_000 });
    await vi.waitFor(() => expect(client.state).toBe('waiting'), soon);
    await world.serve('a', { port: Number(port) });
    await sent;
    // It may have come before the op that brings the document into being.
    await called.catch((error) => expect(error.code).toBe('DOCUMENT_UNKNOWN'));
    expect(await handle.rpc('ping')).toMatchObject({ pong: true });
  });

  it('fails at its deadline, and certainly was not run', async () => {
    await using world = new GatewayWorld();
    const gone = await world.gateway();
    await gone.stop();
    const handle = join(world, { urls: gone.address() }).open('d');
    await expect(handle.rpc('ping', null, { timeoutMs: 40 })).rejects.toMatchObject({
      code: 'BACKPLANE_UNREACHABLE',
      certainty: 'definite',
    });
  });

  it('fails at once when the document is closed', async () => {
    await using world = new GatewayWorld();
    const gone = await world.gateway();
    await gone.stop();
    const handle = join(world, { urls: gone.address() }).open('d');
    const called = handle.rpc('ping', null, { timeoutMs: 60_000 });
    handle.close();
    await expect(called).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(handle.rpc('ping')).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

it('no call fails because nodes are stopped one after the other', async () => {
  await using world = new GatewayWorld();
  const nodes = [await world.serve('a'), await world.serve('b'), await world.serve('c')];
  const client = join(world, { urls: nodes.map(({ address }) => address) });
  const handle = client.open('d');
  await handle.send(1);
  const calls: Promise<unknown>[] = [];
  let isOver = false;
  const calling = (async () => {
    while (!isOver) {
      calls.push(handle.rpc('ping', null, { timeoutMs: 4_000 }));
      await new Promise((resolve) => setImmediate(resolve));
      await Promise.allSettled(calls.slice(-20, -10));
    }
  })();
  for (const { node, gateway } of nodes.slice(0, 2)) {
    await node.drain();
    await gateway.stop();
    await node.stop();
    await vi.waitFor(() => expect(client.state).toBe('connected'), soon);
  }
  isOver = true;
  await calling;
  const failed = (await Promise.allSettled(calls)).filter(({ status }) => status === 'rejected');
  expect(failed).toEqual([]);
  expect(client.nodeId).toBe('c');
}, 20_000);
