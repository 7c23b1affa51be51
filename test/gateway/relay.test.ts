import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import {
  type JoinOptions,
  joinWorkspace,
  type ServeOptions,
  serveWorkspace,
} from '../../src/client/index.ts';
import { encodeLetter } from '../../src/foundation/relay-letter.ts';
import { relayLimits } from '../../src/foundation/relay-protocol.ts';
import { GatewayWorld } from './support/gateway-world.ts';

const soon = { timeout: 4_500, interval: 5 };
const text = (frame: Uint8Array) => Buffer.from(frame).toString('utf8');
const bytes = (value: string) => Buffer.from(value);

function join(world: GatewayWorld, options: JoinOptions) {
  return world.track(joinWorkspace(options), (handle) => handle.close());
}

function serve(
  world: GatewayWorld,
  options: Omit<ServeOptions, 'onFrame'> & Partial<ServeOptions>,
) {
  const heard: string[] = [];
  const daemon = serveWorkspace({ onFrame: (frame) => void heard.push(text(frame)), ...options });
  return { daemon: world.track(daemon, (handle) => handle.close()), heard };
}

/** Two nodes; `urls` of both, for clients that may move. */
async function twoNodes(world: GatewayWorld) {
  const a = await world.serve('a');
  const b = await world.serve('b');
  return { a, b, urls: [a.address, b.address] };
}

/** Sends until told to stop; every frame's end is noted. */
function stream(handle: { send(frame: Uint8Array): Promise<void> }, prefix: string) {
  const ends = new Map<string, 'taken' | 'lost' | 'not sent'>();
  let count = 0;
  const timer = setInterval(() => {
    const name = `${prefix}${++count}`;
    handle.send(bytes(name)).then(
      () => ends.set(name, 'taken'),
      (error) => ends.set(name, error.certainty === 'indefinite' ? 'lost' : 'not sent'),
    );
  }, 2);
  return {
    ends,
    stop: async () => {
      clearInterval(timer);
      await vi.waitFor(() => expect(ends.size).toBe(count), soon);
      return count;
    },
  };
}

/** Each at most once, in order; what was called taken is there, what was called not sent is not. */
function expectHonest(heard: readonly string[], ends: ReadonlyMap<string, string>) {
  const numbers = heard.map((frame) => Number(/\d+$/.exec(frame)?.[0]));
  expect(numbers).toEqual([...numbers].sort((one, other) => one - other));
  expect(new Set(heard).size).toBe(heard.length);
  for (const [frame, end] of ends) {
    if (end === 'taken') expect(heard).toContain(frame);
    if (end === 'not sent') expect(heard).not.toContain(frame);
  }
}

describe('a workspace', () => {
  it('carries frames both ways, in order, each once, between two nodes', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a');
    const b = await world.serve('b');
    const heard: string[] = [];
    const { daemon } = serve(world, {
      urls: b.address,
      workspace: 'w',
      onFrame: (frame, browser) => {
        heard.push(text(frame));
        browser.send(bytes(`re: ${text(frame)}`)).catch(() => {});
      },
    });
    await daemon.serving();
    const answers: string[] = [];
    const browser = join(world, {
      urls: a.address,
      workspace: 'w',
      onFrame: (frame) => void answers.push(text(frame)),
    });
    const sent = Array.from({ length: 500 }, (_, n) => `frame ${n}`);
    await Promise.all(sent.map((frame) => browser.send(bytes(frame))));
    expect(heard).toEqual(sent);
    await vi.waitFor(() => expect(answers).toEqual(sent.map((frame) => `re: ${frame}`)), soon);
    expect(a.node.metrics().counters.relay_letters_forwarded_total).toBeGreaterThan(500);
  });

  it('says at once that there is no daemon, and again when there is', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a');
    const b = await world.serve('b');
    const browser = join(world, { urls: a.address, workspace: 'w' });
    const absent = new Promise((resolve) => browser.on('unavailable', resolve));
    expect(await absent).toMatchObject({ code: 'DAEMON_UNAVAILABLE' });
    await expect(browser.send(bytes('x'))).rejects.toMatchObject({
      code: 'DAEMON_UNAVAILABLE',
      certainty: 'definite',
    });
    const { daemon, heard } = serve(world, { urls: b.address, workspace: 'w' });
    await browser.available();
    await browser.send(bytes('hello'));
    expect(heard).toEqual(['hello']);
    const gone = new Promise((resolve) => browser.on('unavailable', resolve));
    await daemon.close();
    expect(await gone).toMatchObject({ code: 'DAEMON_UNAVAILABLE' });
  });

  it('has one daemon: a second is refused, or takes over when told to', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a');
    const b = await world.serve('b');
    const first = serve(world, { urls: a.address, workspace: 'w' });
    await first.daemon.serving();
    const second = serve(world, { urls: b.address, workspace: 'w' });
    await expect(second.daemon.serving()).rejects.toMatchObject({ code: 'RELAY_DAEMON_TAKEN' });
    expect(second.daemon.error?.message).toMatch(/connected to node a/);
    const third = serve(world, { urls: b.address, workspace: 'w', take: true });
    await third.daemon.serving();
    await vi.waitFor(() => expect(first.daemon.error?.code).toBe('RELAY_DAEMON_TAKEN'), soon);
    const browser = join(world, { urls: a.address, workspace: 'w' });
    await browser.send(bytes('to the third'));
    expect(third.heard).toEqual(['to the third']);
  });
});

describe('frames under way', () => {
  it('arrive once when the node of the daemon is killed, and the daemon comes back elsewhere', async () => {
    await using world = new GatewayWorld();
    const { a, b, urls } = await twoNodes(world);
    const { daemon, heard } = serve(world, { urls: [b.address, a.address], workspace: 'w' });
    await daemon.serving();
    expect(daemon.nodeId).toBe('b');
    const browser = join(world, { urls: a.address, workspace: 'w' });
    await browser.available();
    const { ends, stop } = stream(browser, '');
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(20), soon);
    await b.node.stop('crash');
    await b.gateway.stop();
    await vi.waitFor(() => expect(daemon.nodeId).toBe('a'), soon);
    const before = heard.length;
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(before + 20), soon);
    await stop();
    expectHonest(heard, ends);
    // The same daemon: nothing that was sent to it is lost.
    expect([...ends.values()]).not.toContain('lost');
    expect(urls).toHaveLength(2);
  });

  it('arrive once when the browser moves to another node', async () => {
    await using world = new GatewayWorld();
    const { a, b } = await twoNodes(world);
    const { daemon, heard } = serve(world, { urls: a.address, workspace: 'w' });
    await daemon.serving();
    const browser = join(world, { urls: [b.address, a.address], workspace: 'w' });
    await browser.available();
    const { ends, stop } = stream(browser, '');
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(20), soon);
    await b.gateway.drain();
    await vi.waitFor(() => expect(browser.nodeId).toBe('a'), soon);
    const before = heard.length;
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(before + 20), soon);
    await stop();
    expectHonest(heard, ends);
    expect(new Set(ends.values())).toEqual(new Set(['taken']));
  });

  it('are told as lost when another daemon takes over, and never sent to that one', async () => {
    await using world = new GatewayWorld();
    const { a, b } = await twoNodes(world);
    const held = Promise.withResolvers<void>();
    const first: string[] = [];
    const one = serve(world, {
      urls: a.address,
      workspace: 'w',
      onFrame: async (frame) => {
        first.push(text(frame));
        await held.promise;
      },
    });
    await one.daemon.serving();
    const browser = join(world, { urls: b.address, workspace: 'w' });
    await browser.available();
    const flying = browser.send(bytes('to the first'));
    const outcome = expect(flying).rejects.toMatchObject({
      code: 'RELAY_LOST',
      certainty: 'indefinite',
    });
    await vi.waitFor(() => expect(first).toEqual(['to the first']), soon);
    const other = serve(world, { urls: b.address, workspace: 'w', take: true });
    await other.daemon.serving();
    await outcome;
    await browser.send(bytes('to the other'));
    expect(other.heard).toEqual(['to the other']);
    held.resolve();
  });
});

describe('a slow reader', () => {
  it('stops who writes to it, and misses nothing', async () => {
    await using world = new GatewayWorld();
    const { a, b } = await twoNodes(world);
    const held = Promise.withResolvers<void>();
    let heard = 0;
    const { daemon } = serve(world, {
      urls: a.address,
      workspace: 'w',
      onFrame: async () => {
        heard += 1;
        await held.promise;
      },
    });
    await daemon.serving();
    const browser = join(world, { urls: b.address, workspace: 'w' });
    await browser.available();
    const frame = Buffer.alloc(65_536, 1);
    const sent = Promise.all(Array.from({ length: 100 }, () => browser.send(frame)));
    await vi.waitFor(() => expect(heard).toBe(1), soon);
    const views = [...a.node.relay.views(), ...b.node.relay.views()];
    for (const { queuedBytes } of views) expect(queuedBytes).toBeLessThan(2_000_000);
    held.resolve();
    await sent;
    expect(heard).toBe(100);
  });

  it('makes a browser drop the oldest frames when told to, which is counted', async () => {
    await using world = new GatewayWorld();
    const { a, b } = await twoNodes(world);
    const held = Promise.withResolvers<void>();
    const heard: string[] = [];
    const { daemon } = serve(world, {
      urls: a.address,
      workspace: 'w',
      onFrame: async (frame) => {
        heard.push(text(frame));
        await held.promise;
      },
    });
    await daemon.serving();
    const drops = { overflow: 'drop-oldest', queueFramesMax: 10 } as const;
    const browser = join(world, { urls: b.address, workspace: 'w', ...drops });
    await browser.available();
    const ends = await (async () => {
      const sent = Array.from({ length: 400 }, (_, n) => browser.send(bytes(`${n}`)));
      held.resolve();
      return Promise.allSettled(sent);
    })();
    const dropped = ends.filter(({ status }) => status === 'rejected');
    expect(dropped.length).toBeGreaterThan(50);
    for (const end of dropped) {
      expect((end as PromiseRejectedResult).reason).toMatchObject({ code: 'RELAY_DROPPED' });
    }
    expect(heard.length).toBe(400 - dropped.length);
    expect(heard.at(-1)).toBe('399');
    await vi.waitFor(() => {
      expect(b.node.relay.views()[0]?.dropped).toBe(dropped.length);
    }, soon);
  });
});

describe('a redirect', () => {
  it('leads a browser to the node of the daemon, and forwards nothing', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a', { relay: { redirect: true } });
    const b = await world.serve('b', { relay: { redirect: true } });
    const { daemon, heard } = serve(world, { urls: b.address, workspace: 'w' });
    await daemon.serving();
    const browser = join(world, { urls: a.address, workspace: 'w' });
    await browser.send(bytes('hello'));
    expect(browser.nodeId).toBe('b');
    expect(browser.isRedirected).toBe(true);
    expect(heard).toEqual(['hello']);
    const { counters } = a.node.metrics();
    expect(counters).toMatchObject({ relay_redirects_total: 1, relay_letters_forwarded_total: 0 });
    const stubborn = join(world, { urls: a.address, workspace: 'w', redirect: 'never' });
    await stubborn.send(bytes('forwarded'));
    expect(stubborn.nodeId).toBe('a');
  });

  it('to a host that is not allowed is refused, logged, counted, and forwarded instead', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a', { relay: { redirect: true } });
    const publicUrl = 'http://evil.example';
    const b = await world.serve('b', { relay: { redirect: true, publicUrl } });
    const { daemon, heard } = serve(world, { urls: b.address, workspace: 'w' });
    await daemon.serving();
    const browser = join(world, { urls: a.address, workspace: 'w' });
    await browser.send(bytes('hello'));
    expect(browser.nodeId).toBe('a');
    expect(heard).toEqual(['hello']);
    expect(a.node.metrics().counters).toMatchObject({
      relay_redirects_total: 0,
      relay_redirects_refused_total: 1,
    });
    expect(world.logged.join()).toContain('relay.redirect-refused');
  });

  it('before the upgrade is an HTTP 307 to the daemon’s node, once', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a', { relay: { redirect: true } });
    const b = await world.serve('b', { relay: { redirect: true } });
    const { daemon } = serve(world, { urls: b.address, workspace: 'w o/r' });
    await daemon.serving();
    const query = 'role=browser&stream=s1234567&redirect=307';
    const ask = async (path: string) => {
      const socket = new WebSocket(`${a.address.replace('http', 'ws')}${path}`, [
        'backplane.relay.v1',
      ]);
      const answer = await new Promise<{ status: number; location: string | undefined }>((done) => {
        socket.on('unexpected-response', (_, response) =>
          done({ status: response.statusCode ?? 0, location: response.headers.location }),
        );
        socket.on('open', () => done({ status: 101, location: undefined }));
      });
      socket.on('error', () => {});
      socket.terminate();
      return answer;
    };
    const first = await ask(`/v1/relay/w%20o%2Fr?${query}`);
    expect(first.status).toBe(307);
    expect(first.location).toBe(
      `${b.address.replace('http', 'ws')}/v1/relay/w%20o%2Fr?hops=1&${query}`,
    );
    expect(await ask(`/v1/relay/w%20o%2Fr?hops=1&${query}`)).toMatchObject({ status: 101 });
  });
});

describe('a relay connection', () => {
  it('is closed with 1009 and a reason after a frame above the limit', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const url = `${address.replace('http', 'ws')}/v1/relay/w?role=browser&stream=s1234567`;
    const socket = new WebSocket(url, ['backplane.relay.v1']);
    socket.on('error', () => {});
    socket.on('open', () => socket.send(Buffer.alloc(relayLimits.messageBytesMax + 1)));
    const [code, reason] = await once(socket, 'close');
    expect(code).toBe(1009);
    expect(String(reason)).toMatch(/larger than this node takes/);
  });

  it.each([
    [
      'letters of another stream',
      encodeLetter({ t: 'bye', stream: 'other1234', conv: 'c1234567' }),
    ],
    ['what is no letter', Buffer.from('x')],
    ['letters only a daemon writes', encodeLetter({ t: 'closed', stream: 's1234567', conv: null })],
  ])('is closed with 4400 after %s', async (_, letter) => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const url = `${address.replace('http', 'ws')}/v1/relay/w?role=browser&stream=s1234567`;
    const socket = new WebSocket(url, ['backplane.relay.v1']);
    socket.on('open', () => socket.send(letter));
    const [code, reason] = await once(socket, 'close');
    expect(code).toBe(4400);
    expect(String(reason)).toMatch(/^REQUEST_INVALID: /);
  });

  it.each([
    ['no role', 'w?stream=s1234567'],
    ['no stream', 'w?role=browser'],
    ['a name too long', `${'w'.repeat(300)}?role=browser&stream=s1234567`],
    ['a name with control characters', 'w%00?role=browser&stream=s1234567'],
  ])('is refused with 400 for %s', async (_, path) => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const url = `${address.replace('http', 'ws')}/v1/relay/${path}`;
    const socket = new WebSocket(url, ['backplane.relay.v1']);
    socket.on('error', () => {});
    const [, response] = await once(socket, 'unexpected-response');
    expect(response.statusCode).toBe(400);
    socket.terminate();
  });
});
