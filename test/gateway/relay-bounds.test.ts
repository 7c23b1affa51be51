import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { decodeUpLetter, encodeLetter } from '../../src/foundation/relay-letter.ts';
import { relayLimits } from '../../src/foundation/relay-protocol.ts';
import { flowBytesMax } from '../../src/runtime/relay/relay-flow.ts';
import { GatewayWorld } from './support/gateway-world.ts';

const soon = { timeout: 8_000, interval: 10 };
const stream = 'stream-1';

/** A connection, and all that comes on it from the first word. */
async function raw(world: GatewayWorld, address: string, query: string) {
  const url = `${address.replace('http', 'ws')}/v1/relay/w?${query}`;
  const socket = world.track(new WebSocket(url, ['backplane.relay.v1']), (one) => one.terminate());
  const letters: Buffer[] = [];
  const told: string[] = [];
  socket.on('error', () => {});
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) letters.push(data);
    else told.push(String(data));
  });
  await vi.waitFor(() => expect(told.join()).toContain('welcome'), soon);
  return { socket, letters, told };
}

const open = encodeLetter({
  t: 'open',
  stream,
  attempt: 'attempt-1',
  conv: null,
  received: 0,
  taken: 0,
});
const data = (id: number, bytes: number) =>
  encodeLetter({ t: 'data', stream, conv: 'conv-0001', id }, new Uint8Array(bytes));

/** A browser and a daemon that speak the protocol by hand, on these nodes. */
async function pair(world: GatewayWorld, browserAt: string, daemonAt: string) {
  const { socket: daemon, letters } = await raw(world, daemonAt, 'role=daemon&instance=instance-1');
  const { socket: browser, told } = await raw(world, browserAt, `role=browser&stream=${stream}`);
  await vi.waitFor(() => expect(told.join()).toContain('"available"'), soon);
  browser.send(open);
  await vi.waitFor(() => expect(letters).toHaveLength(1), soon);
  return { daemon, browser, letters };
}

describe.each(['one node', 'two nodes'])('a sender that keeps to no window, on %s', (where) => {
  it('is not read any more when its reader does not read, and loses nothing', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a');
    const b = where === 'one node' ? a : await world.serve('b');
    const { daemon, browser, letters } = await pair(world, b.address, a.address);
    daemon.pause();
    const bytes = 262_144;
    const count = 200;
    for (let id = 1; id <= count; id++) browser.send(data(id, bytes));
    const stopped = () => b.node.metrics().counters.relay_senders_paused_total;
    await vi.waitFor(() => expect(stopped()).toBe(1), soon);
    // What the kernel buffers on the way is beside what the nodes hold.
    const held = b.node.metrics().gauges.relay_queued_bytes ?? 0;
    expect(held).toBeLessThan(flowBytesMax + 2 * bytes);
    expect(browser.bufferedAmount).toBeGreaterThan((count * bytes) / 2);
    daemon.resume();
    await vi.waitFor(() => expect(letters).toHaveLength(count + 1), { timeout: 20_000 });
    const ids = letters.slice(1).map((letter) => {
      const { header } = decodeUpLetter(letter);
      return header.t === 'data' ? header.id : null;
    });
    expect(ids).toEqual(Array.from({ length: count }, (_, at) => at + 1));
    await vi.waitFor(() => expect(b.node.metrics().gauges.relay_queued_bytes).toBe(0), soon);
  }, 40_000);
});

describe('a relay connection', () => {
  it('whose reader holds up more than a node keeps is closed with 1013', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a', { bounds: { relayQueueBytesMax: 100_000 } });
    const { daemon, browser } = await pair(world, a.address, a.address);
    daemon.pause();
    const closed = once(daemon, 'close');
    for (let id = 1; id <= 40; id++) browser.send(data(id, relayLimits.payloadBytesMax));
    await vi.waitFor(async () => {
      const page = await fetch(`${a.address}/metrics`).then((answer) => answer.text());
      expect(page).toMatch(/gateway_peers_cut_total\{reason="slow-peer"\} 1/);
    }, soon);
    daemon.resume();
    const [code] = await closed;
    expect([1006, 1013]).toContain(code);
  }, 20_000);

  it('is not believed when it writes as somebody else', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a');
    const { browser } = await pair(world, a.address, a.address);
    browser.send(encodeLetter({ t: 'bye', stream: 'stream-2', conv: 'conv-0001' }));
    const [code] = await once(browser, 'close');
    expect(code).toBe(4400);
  });

  it('without the token is closed with 4401, and not redirected before', async () => {
    await using world = new GatewayWorld();
    const { Secret } = await import('../../src/foundation/secret.ts');
    const token = new Secret('right');
    const a = await world.serve('a', { token, relay: { redirect: true } });
    const query = `role=browser&stream=${stream}&redirect=307`;
    const url = `${a.address.replace('http', 'ws')}/v1/relay/w?${query}`;
    const socket = new WebSocket(url, ['backplane.relay.v1']);
    const [code] = await once(socket, 'close');
    expect(code).toBe(4401);
  });
});
