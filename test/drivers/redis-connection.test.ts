import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { protocol } from '../../src/foundation/limits.ts';
import {
  someDescription as description,
  someVitals as vitals,
} from '../conformance/engine-fixture.ts';
import {
  backplaneFailureOf,
  expectCode,
  freshPrefix,
  RedisEngines,
} from '../support/redis-engines.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

const engines = new RedisEngines();
let server: RedisServer;

beforeAll(async () => {
  server = await startRedisServer();
});
afterEach(() => engines.closeAll());
afterAll(() => server.stop());

/** In the wrong moment a call may still fail; what counts is that it works again. */
function works<T>(call: () => Promise<T>): Promise<T> {
  return vi.waitFor(call, { timeout: 8_000, interval: 20 });
}

describe('connecting', () => {
  test('fails at once when nobody listens', async () => {
    const startedMs = performance.now();
    await expectCode(engines.open('redis://127.0.0.1:1'), 'BACKPLANE_UNREACHABLE');
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  test('fails within about two seconds when a server accepts and says nothing', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const startedMs = performance.now();
    const { port } = silent.address() as { port: number };
    await expectCode(engines.open(`redis://127.0.0.1:${port}`), 'BACKPLANE_UNREACHABLE');
    expect(performance.now() - startedMs).toBeLessThan(2_500);
    silent.close();
  });

  test('says that the password is wrong, and shows it nowhere', async () => {
    await server.cli('ACL', 'SETUSER', 'eve', 'on', '>right', '~*', '&*', '+@all');
    const url = `redis://eve:hunter2@127.0.0.1:${server.port}`;
    const failure = await expectCode(engines.open(url), 'AUTH_FAILED');
    expect(inspect(failure, { depth: null, showHidden: true })).not.toContain('hunter2');
    await expectCode(engines.open(`redis://eve@127.0.0.1:${server.port}`), 'AUTH_FAILED');
  });

  test('does not go on in another database when the one asked for is refused', async () => {
    await expectCode(engines.open(`${server.url}/99`), 'URL_INVALID');
  });

  test('works over a unix socket', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'backplane-unix-'));
    const path = join(dir, 'redis.sock');
    const own = await startRedisServer({ args: ['--unixsocket', path] });
    const engine = await engines.open(`unix:${path}`);
    expect(await engine.inspector.ping()).toBeGreaterThan(0);
    await own.stop();
    await rm(dir, { recursive: true });
  });

  test('keeps to the database of the URL, also after a reconnect', async () => {
    const engine = await engines.open(`${server.url}/3`, 'third:');
    await engine.leases.claim('doc', null, 'session');
    await killClients();
    await works(() => engine.leases.claim('other', null, 'session'));
    expect(await server.cli('-n', '3', 'KEYS', 'third:*')).toContain('third:leases');
    expect(await server.cli('KEYS', 'third:*')).toBe('');
  });

  test('refuses a server older than 6.2', async () => {
    const old = await oldServer();
    const { port } = old.address() as { port: number };
    await expectCode(engines.open(`redis://127.0.0.1:${port}`), 'SERVER_UNSUPPORTED');
    old.close();
  });

  test('refuses a prefix that would break hash tags or listings', async () => {
    await expectCode(engines.open(server.url, 'a{b}:'), 'CONFIG_INVALID');
    await expectCode(engines.open(server.url, 'a*:'), 'CONFIG_INVALID');
  });
});

/** Speaks just enough to introduce itself as Redis 6.0. */
async function oldServer(): Promise<Server> {
  const old = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      const text = data.toString().toLowerCase();
      if (text.includes('client')) socket.write('%1\r\n+version\r\n+6.0.16\r\n+OK\r\n');
      else socket.write('%2\r\n+server\r\n+redis\r\n+version\r\n+6.0.16\r\n');
    });
  }).listen(0, '127.0.0.1');
  await once(old, 'listening');
  return old;
}

describe('when the connection breaks', () => {
  test('a change under way fails indefinitely, and the next one works', async () => {
    const engine = await engines.open(server.url);
    await server.cli('CLIENT', 'PAUSE', '10000', 'WRITE');
    const change = backplaneFailureOf(engine.leases.claim('doc', null, 'session'));
    await vi.waitFor(async () => {
      expect(await server.cli('INFO', 'clients')).toContain('blocked_clients:1');
    });
    await killClients();
    await server.cli('CLIENT', 'UNPAUSE');
    expect(await change).toMatchObject({ code: 'BACKPLANE_LOST', certainty: 'indefinite' });
    const claim = await works(() => engine.leases.claim('doc', null, 'session'));
    expect(claim.status).toBe('claimed');
  });

  test('a look under way fails definitely when the server dies', async () => {
    const own = await startRedisServer();
    const engine = await engines.open(own.url);
    await own.kill('SIGSTOP');
    const look = backplaneFailureOf(engine.leases.read('doc'));
    await own.kill('SIGKILL');
    expect(await look).toMatchObject({ code: 'BACKPLANE_LOST', certainty: 'definite' });
    await own.restartEmpty();
    expect(await works(() => engine.leases.read('doc'))).toBeNull();
    await own.stop();
  });

  test('no change is ever sent twice', async () => {
    const engine = await engines.open(server.url);
    const doc = `${freshPrefix()}doc`;
    const store = engine.openStore();
    for (let epoch = 0, attempts = 0; attempts < 30; attempts++) {
      // Were one sent twice, an epoch would pass that nobody was told of.
      const fence = store.fence(doc, 'session', epoch).catch(() => null);
      if (attempts % 3 === 0) await killClients();
      const answer = await fence;
      const head = await works(() => store.head(doc));
      const reached = head?.epoch ?? 0;
      expect(reached - epoch).toBeLessThanOrEqual(1);
      if (answer?.status === 'fenced') expect(reached).toBe(epoch + 1);
      epoch = reached;
    }
  });

  test('every subscription is there again before anybody is told of the interruption', async () => {
    const prefix = freshPrefix();
    const [hearer, speaker] = [
      await engines.open(server.url, prefix),
      await engines.open(server.url, prefix),
    ];
    const heard: string[] = [];
    const names = Array.from({ length: 2_500 }, (_, i) => `channel-${i}`);
    for (const name of names.slice(0, 50)) await hearer.bus.subscribe(name, () => heard.push(name));
    await Promise.all(
      names.slice(50).map((name) => hearer.bus.subscribe(name, () => heard.push(name))),
    );
    const received: number[] = [];
    const interrupted = new Promise<void>((resolve) => {
      hearer.bus.onInterrupted(() => resolve());
    });
    await server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await interrupted;
    for (const name of names)
      received.push(await works(() => speaker.bus.publish(name, Buffer.from('x'))));
    expect(received.every((count) => count === 1)).toBe(true);
    await vi.waitFor(() => expect(heard).toHaveLength(names.length));
  });

  test('a subscription that ended meanwhile does not come back', async () => {
    const prefix = freshPrefix();
    const engine = await engines.open(server.url, prefix);
    const stays = await engine.bus.subscribe('stays', () => {});
    const ends = await engine.bus.subscribe('ends', () => {});
    const interrupted = new Promise<void>((resolve) => {
      engine.bus.onInterrupted(() => resolve());
    });
    await server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await ends.close();
    await interrupted;
    expect(await works(() => engine.bus.receivers('stays'))).toBe(1);
    expect(await engine.bus.receivers('ends')).toBe(0);
    await stays.close();
  });

  test('a server that restarted empty has another boot marker, and the bus comes back', async () => {
    const own = await startRedisServer();
    try {
      const engine = await engines.open(own.url);
      const opening = { id: 'session-1', token: 'token', ttlMs: 30_000, description };
      const { boot } = await engine.sessions.open(opening);
      const heard: string[] = [];
      await engine.bus.subscribe('inbox', (payload) => heard.push(Buffer.from(payload).toString()));
      const interrupted = new Promise<void>((resolve) => {
        engine.bus.onInterrupted(() => resolve());
      });
      await own.restartEmpty();
      await interrupted;
      const renewal = { id: 'session-1', token: 'token', beat: 1, ttlMs: 30_000, vitals };
      expect(await works(() => engine.sessions.renew(renewal))).toEqual({ status: 'dead' });
      const again = await engine.sessions.open({ ...opening, id: 'session-2' });
      expect(again.boot).not.toBe(boot);
      expect(await engine.bus.publish('inbox', Buffer.from('hello'))).toBe(1);
      await vi.waitFor(() => expect(heard).toEqual(['hello']));
    } finally {
      await own.stop();
    }
  });

  test('a stopped server makes every call fail by its deadline, and the connection heals', async () => {
    const own = await startRedisServer();
    try {
      const engine = await engines.open(own.url);
      await engine.sessions.open({ id: 'session', token: 't', ttlMs: 60_000, description });
      await own.kill('SIGSTOP');
      const startedMs = performance.now();
      const renewal = { id: 'session', token: 't', beat: 1, ttlMs: 60_000, vitals };
      const failures = await Promise.all([
        backplaneFailureOf(engine.sessions.renew(renewal)),
        backplaneFailureOf(engine.bus.subscribe('inbox', () => {})),
        backplaneFailureOf(engine.inspector.ping()),
      ]);
      const tookMs = performance.now() - startedMs;
      expect(failures.map((failure) => failure.code)).toEqual(Array(3).fill('BACKPLANE_LOST'));
      expect(tookMs).toBeLessThan(protocol.renewalTimeoutMs + 500);
      await own.kill('SIGCONT');
      const answer = await works(() => engine.sessions.renew({ ...renewal, beat: 2 }));
      expect(answer.status).toBe('renewed');
      expect(await works(() => engine.bus.receivers('inbox'))).toBe(0);
    } finally {
      await own.kill('SIGCONT');
      await own.stop();
    }
  });

  test('a stream of calls without a server fails fast instead of piling up', async () => {
    const own = await startRedisServer();
    const engine = await engines.open(own.url);
    await own.stop();
    const startedMs = performance.now();
    const calls = Array.from({ length: 10_000 }, () =>
      backplaneFailureOf(engine.leases.read('doc')),
    );
    const codes = new Set((await Promise.all(calls)).map((failure) => failure.code));
    expect([...codes].every((code) => /^BACKPLANE_(LOST|UNREACHABLE)$/.test(code))).toBe(true);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});

/** Every client but the one that asks. */
async function killClients(): Promise<void> {
  await server.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
}
