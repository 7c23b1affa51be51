import { describe, expect, it } from 'vitest';
import { closeCodes } from '../../src/foundation/peer-protocol.ts';
import { GatewayWorld } from './support/gateway-world.ts';
import { RawPeer } from './support/raw-peer.ts';

const op = (counter: number) => ({
  type: 'op',
  doc: 'd',
  peer: 'p1',
  counter,
  ref: counter,
  payload: counter,
});

describe('a node that drains', () => {
  it('tells its peers when to come back, and closes with 1012', async () => {
    await using world = new GatewayWorld();
    const { node, address } = await world.serve('a');
    const peer = await world.peer(address);
    await node.drain();
    const { reconnectAfterMs } = await peer.next('draining');
    expect(reconnectAfterMs).toBeGreaterThanOrEqual(0);
    expect(reconnectAfterMs).toBeLessThan(1_000);
    expect((await peer.end()).code).toBe(closeCodes.restarting);
  });

  it('sends peers away at a bounded rate, not all at once', async () => {
    await using world = new GatewayWorld();
    const { gateway, address } = await world.serve('a', { bounds: { drainPeersPerSecond: 100 } });
    const peers = await Promise.all(Array.from({ length: 30 }, () => world.peer(address)));
    const startedMs = world.clock.monotonicMs();
    await gateway.drain();
    // 30 peers at 100 a second, in steps of 5 every 50 ms: the last step begins after 250 ms.
    expect(world.clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(240);
    for (const peer of peers) expect((await peer.end()).code).toBe(closeCodes.restarting);
    const delays = await Promise.all(
      peers.map(async (peer) => (await peer.next('draining')).reconnectAfterMs),
    );
    expect(new Set(delays).size).toBeGreaterThan(5);
  });

  it('answers what was under way before it closes, and refuses what comes after', async () => {
    await using world = new GatewayWorld();
    const { node, gateway, address } = await world.serve('a');
    await node.submit('d', { peer: 'w', counter: 1, payload: Buffer.from('1') });
    const gate = Promise.withResolvers<void>();
    node.handle('wait', async ({ payload }) => {
      await gate.promise;
      return payload;
    });
    const peer = await world.peer(address);
    peer.send({ type: 'rpc', doc: 'd', method: 'wait', ref: 9, payload: 'done' });
    peer.send({ type: 'ping' });
    await peer.next('pong');
    const drained = gateway.drain();
    await peer.next('draining');
    peer.send(op(1));
    expect(await peer.next('refused')).toMatchObject({
      ref: 1,
      code: 'DRAINING',
      certainty: 'definite',
    });
    expect(peer.closed).toBe(null);
    gate.resolve();
    expect(await peer.next('reply')).toMatchObject({ ref: 9, payload: 'done' });
    expect((await peer.end()).code).toBe(closeCodes.restarting);
    await drained;
  });

  it('does not wait for a peer that never closes', async () => {
    await using world = new GatewayWorld();
    const { gateway, address } = await world.serve('a', { bounds: { closeMs: 100 } });
    const peer = await world.peer(address);
    peer.socket.pause();
    await gateway.stop();
    await expect(fetch(address)).rejects.toThrow();
  });

  it('lets no new peer in', async () => {
    await using world = new GatewayWorld();
    const { gateway, address } = await world.serve('a');
    await gateway.drain();
    const late = RawPeer.connect(address);
    await late.end();
    expect(late.status).toBe(503);
  });
});
