import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { openRedisEngine, type RedisEngine } from '../../src/drivers/redis/redis-engine.ts';
import { SystemClock } from '../../src/drivers/system/system-clock.ts';
import { SystemRandom } from '../../src/drivers/system/system-random.ts';
import {
  type BackplaneError,
  type ErrorCode,
  isBackplaneError,
} from '../../src/foundation/errors.ts';
import { protocol } from '../../src/foundation/limits.ts';
import { parseEngineUrl, type RedisAddress } from '../../src/foundation/url.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

const [clock, random] = [new SystemClock(), new SystemRandom()];
const description = {
  ...{ nodeId: 'node-a', address: null, pid: 1, version: '1.0.0', protocol: 1 },
  ...{ configHash: 'hash', startedAt: '2026-01-01T00:00:00.000Z' },
};
const vitals = { documents: 1, connections: 2, draining: false, deaf: false };

let server: RedisServer;
const opened: RedisEngine[] = [];

beforeAll(async () => {
  server = await startRedisServer();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});
afterAll(() => server.stop());

function addressOf(url: string): RedisAddress {
  const parsed = parseEngineUrl(url);
  if (parsed.kind !== 'redis') throw new Error(`${url} is not a Redis URL`);
  return parsed.address;
}

async function open(url = server.url, prefix = `test-${random.token(6)}:`): Promise<RedisEngine> {
  const engine = await openRedisEngine(addressOf(url), { clock, random, prefix });
  opened.push(engine);
  return engine;
}

async function failureOf(call: Promise<unknown>): Promise<BackplaneError> {
  try {
    await call;
  } catch (error) {
    if (isBackplaneError(error)) return error;
    throw error;
  }
  throw new Error('it should have failed');
}

async function expectCode(call: Promise<unknown>, code: ErrorCode): Promise<BackplaneError> {
  const failure = await failureOf(call);
  expect(failure.code, failure.message).toBe(code);
  return failure;
}

/** In the wrong moment a call may still fail; what counts is that it works again. */
function works<T>(call: () => Promise<T>): Promise<T> {
  return vi.waitFor(call, { timeout: 8_000, interval: 20 });
}

describe('connecting', () => {
  test('fails at once when nobody listens', async () => {
    const startedMs = performance.now();
    await expectCode(open('redis://127.0.0.1:1'), 'BACKPLANE_UNREACHABLE');
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  test('fails within about two seconds when a server accepts and says nothing', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const startedMs = performance.now();
    const { port } = silent.address() as { port: number };
    await expectCode(open(`redis://127.0.0.1:${port}`), 'BACKPLANE_UNREACHABLE');
    expect(performance.now() - startedMs).toBeLessThan(2_500);
    silent.close();
  });

  test('says that the password is wrong, and shows it nowhere', async () => {
    await server.cli('ACL', 'SETUSER', 'eve', 'on', '>right', '~*', '&*', '+@all');
    const url = `redis://eve:hunter2@127.0.0.1:${server.port}`;
    const failure = await expectCode(open(url), 'AUTH_FAILED');
    expect(inspect(failure, { depth: null, showHidden: true })).not.toContain('hunter2');
    await expectCode(open(`redis://eve@127.0.0.1:${server.port}`), 'AUTH_FAILED');
  });

  test('does not go on in another database when the one asked for is refused', async () => {
    await expectCode(open(`${server.url}/99`), 'URL_INVALID');
  });

  test('works over a unix socket', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'backplane-unix-'));
    const path = join(dir, 'redis.sock');
    const own = await startRedisServer({ args: ['--unixsocket', path] });
    const engine = await open(`unix:${path}`);
    expect(await engine.inspector.ping()).toBeGreaterThan(0);
    await own.stop();
    await rm(dir, { recursive: true });
  });

  test('keeps to the database of the URL, also after a reconnect', async () => {
    const engine = await open(`${server.url}/3`, 'third:');
    await engine.leases.claim('doc', null, 'session');
    await killClients();
    await works(() => engine.openStore().identity());
    expect(await server.cli('-n', '3', 'EXISTS', 'third:{s}:store')).toBe('1');
    expect(await server.cli('KEYS', 'third:*')).toBe('');
  });

  test('refuses a server older than 6.2', async () => {
    const old = await oldServer();
    const { port } = old.address() as { port: number };
    await expectCode(open(`redis://127.0.0.1:${port}`), 'SERVER_UNSUPPORTED');
    old.close();
  });

  test('refuses a prefix that would break hash tags or listings', async () => {
    await expectCode(open(server.url, 'a{b}:'), 'CONFIG_INVALID');
    await expectCode(open(server.url, 'a*:'), 'CONFIG_INVALID');
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
    const engine = await open();
    await server.cli('CLIENT', 'PAUSE', '10000', 'WRITE');
    const change = failureOf(engine.leases.claim('doc', null, 'session'));
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
    const engine = await open(own.url);
    await own.kill('SIGSTOP');
    const look = failureOf(engine.leases.read('doc'));
    await own.kill('SIGKILL');
    expect(await look).toMatchObject({ code: 'BACKPLANE_LOST', certainty: 'definite' });
    await own.restartEmpty();
    expect(await works(() => engine.leases.read('doc'))).toBeNull();
    await own.stop();
  });

  test('no change is ever sent twice', async () => {
    const engine = await open();
    const doc = `doc-${random.token(6)}`;
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
    const prefix = `test-${random.token(6)}:`;
    const [hearer, speaker] = [await open(server.url, prefix), await open(server.url, prefix)];
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
    const prefix = `test-${random.token(6)}:`;
    const engine = await open(server.url, prefix);
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
      const engine = await open(own.url);
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
      const engine = await open(own.url);
      await engine.sessions.open({ id: 'session', token: 't', ttlMs: 60_000, description });
      await own.kill('SIGSTOP');
      const startedMs = performance.now();
      const renewal = { id: 'session', token: 't', beat: 1, ttlMs: 60_000, vitals };
      const failures = await Promise.all([
        failureOf(engine.sessions.renew(renewal)),
        failureOf(engine.bus.subscribe('inbox', () => {})),
        failureOf(engine.inspector.ping()),
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
    const engine = await open(own.url);
    await own.stop();
    const startedMs = performance.now();
    const calls = Array.from({ length: 10_000 }, () => failureOf(engine.leases.read('doc')));
    const codes = new Set((await Promise.all(calls)).map((failure) => failure.code));
    expect([...codes].every((code) => /^BACKPLANE_(LOST|UNREACHABLE)$/.test(code))).toBe(true);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});

/** Every client but the one that asks. */
async function killClients(): Promise<void> {
  await server.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
}

describe('access rules', () => {
  const minimal = [
    ...[
      'hello',
      'ping',
      'client|setname',
      'eval',
      'evalsha',
      'time',
      'exists',
      'get',
      'set',
      'del',
    ],
    ...['hset', 'hget', 'hmget', 'hgetall', 'hdel', 'hscan', 'pexpire', 'pttl', 'zadd', 'zrem'],
    ...['zscore', 'zrange', 'zrangebyscore', 'zrangebylex', 'xadd', 'xrange', 'publish'],
    ...['subscribe', 'unsubscribe', 'pubsub|numsub', 'pubsub|channels'],
  ];

  async function userWith(name: string, rules: readonly string[]): Promise<string> {
    await server.cli('ACL', 'SETUSER', name, 'reset', 'on', '>secret', '-@all', ...rules);
    return `redis://${name}:secret@127.0.0.1:${server.port}`;
  }

  test('a minimal user can run everything', async () => {
    const rules = ['~mine:*', '&mine:*', ...minimal.map((verb) => `+${verb}`)];
    const engine = await open(await userWith('minimal', rules), 'mine:');
    await runEverything(engine);
  });

  test('each command of the minimal user is needed, and its lack is named with its remedy', async () => {
    // Asked while connecting, or answered to everybody.
    const silent = new Set(['hello', 'client|setname']);
    for (const verb of minimal.filter((one) => !silent.has(one))) {
      const granted = minimal.filter((one) => one !== verb).map((one) => `+${one}`);
      const url = await userWith('lacking', ['~mine:*', '&mine:*', ...granted]);
      await server.cli(
        'EVAL',
        "for _,k in ipairs(redis.call('KEYS','mine:*')) do redis.call('DEL',k) end",
        '0',
      );
      const failure = await failureOf(open(url, 'mine:').then(runEverything));
      await Promise.all(opened.splice(0).map((engine) => engine.close()));
      expect(failure).toMatchObject({ code: 'PERMISSION_DENIED' });
      expect(failure.remedy).toBe(`ACL SETUSER lacking +${verb}`);
    }
  });

  test('a forbidden channel and a forbidden key are named', async () => {
    const verbs = minimal.map((verb) => `+${verb}`);
    const engine = await open(await userWith('narrow', ['~mine:doc:*', ...verbs]), 'mine:');
    const channel = await expectCode(
      engine.bus.subscribe('inbox:a', () => {}),
      'PERMISSION_DENIED',
    );
    expect(channel.message).toContain('SUBSCRIBE on the channel mine:inbox:a');
    expect(channel.remedy).toBe('ACL SETUSER narrow &mine:*');
    const key = await expectCode(engine.clusterRecords.read(), 'PERMISSION_DENIED');
    expect(key.message).toContain('GET on the key mine:{s}:cluster');
    expect(key.remedy).toBe('ACL SETUSER narrow ~mine:*');
  });

  test('a password changed meanwhile is what later calls fail with', async () => {
    const engine = await open(await userWith('changing', ['~*', '&*', '+@all']));
    await userWith('changing', ['resetpass', '>other', '~*', '&*', '+@all']);
    await server.cli('CLIENT', 'KILL', 'USER', 'changing');
    await vi.waitFor(() => expectCode(engine.inspector.ping(), 'AUTH_FAILED'), { timeout: 5_000 });
  });
});

async function runEverything(engine: RedisEngine): Promise<void> {
  const { bus, sessions, leases, clusterRecords, inspector } = engine;
  await inspector.ping();
  const store = engine.openStore();
  await store.checkWritable();
  const storeIdentity = await store.identity();
  await clusterRecords.agree({ id: 'c', buckets: 8_192, storeIdentity, documentEngine: 'json' });
  await sessions.open({ id: 's', token: 't', ttlMs: 30_000, description });
  await sessions.renew({ id: 's', token: 't', beat: 1, ttlMs: 30_000, vitals });
  await leases.claim('doc', null, 's');
  await store.fence('doc', 's', 0);
  await leases.confirm({ doc: 'doc', session: 's', claimedEpoch: 0, epoch: 1 });
  const subscription = await bus.subscribe('doc:doc', () => {});
  await bus.publish('doc:doc', Buffer.from('x'));
  expect(await bus.receivers('doc:doc')).toBe(1);
  const op = {
    seq: 1,
    epoch: 1,
    peer: 'p',
    counter: 1,
    at: 1,
    chain: 'c',
    payload: Buffer.from('x'),
  };
  const announcement = { channel: 'doc:doc', payload: Buffer.from('x') };
  const after = { seq: 0, chain: '' };
  await store.append({ doc: 'doc', epoch: 1, session: 's', after, ops: [op], announcement });
  await store.saveSnapshot('doc', 1, { seq: 1, chain: 'c', data: Buffer.from('x') });
  expect(await store.read('doc', 0, 10)).toHaveLength(1);
  expect((await store.documents(null, 10)).documents).toHaveLength(1);
  for await (const page of inspector.channels()) expect(page).toHaveLength(1);
  for await (const page of inspector.leases()) expect(page).toHaveLength(1);
  await subscription.close();
  expect(await sessions.list()).toHaveLength(1);
  expect(await sessions.fence('s', 1, 'left')).toBe('fenced');
  expect(await sessions.takeSweep(1_000)).toBe('s');
  for (let from: string | null = null, more = true; more; more = from !== null) {
    from = (await leases.sweep('s', from)).next;
  }
  await sessions.finishSweep('s');
}

describe('costs', () => {
  test('a renewal is exactly one command', async () => {
    const engine = await open();
    await engine.sessions.open({ id: 'session', token: 't', ttlMs: 60_000, description });
    const renew = (beat: number) =>
      engine.sessions.renew({ id: 'session', token: 't', beat, ttlMs: 60_000, vitals });
    await renew(1);
    const watch = connect(server.port, '127.0.0.1');
    let seen = '';
    watch.on('data', (data) => {
      seen += data.toString();
    });
    watch.write('MONITOR\r\n');
    await vi.waitFor(() => expect(seen).toContain('+OK'));
    for (let beat = 2; beat < 12; beat++) await renew(beat);
    await server.cli('ECHO', 'end of the watch');
    await vi.waitFor(() => expect(seen).toContain('end of the watch'));
    watch.destroy();
    const lines = seen.split('\r\n').filter((line) => line.includes(' 127.0.0.1:'));
    expect(lines.filter((line) => !line.includes('ECHO'))).toHaveLength(10);
  });

  test('a lease costs less than 40 bytes, and ten thousand are listed page by page', async () => {
    const prefix = `test-${random.token(6)}:`;
    const parts = { clock, random, prefix, buckets: 128 };
    const engine = await openRedisEngine(addressOf(server.url), parts);
    opened.push(engine);
    const docs = Array.from({ length: 10_000 }, (_, i) => `doc-${String(i).padStart(8, '0')}`);
    for (let from = 0; from < docs.length; from += 500) {
      const some = docs.slice(from, from + 500);
      await Promise.all(some.map((doc) => engine.leases.claim(doc, null, '0123456789')));
    }
    const usages = Array.from({ length: 128 }, (_, i) =>
      server.cli('MEMORY', 'USAGE', `${prefix}leases:{l${i}}`),
    );
    const bytes = (await Promise.all(usages)).reduce((sum, text) => sum + Number(text), 0);
    console.log(`${(bytes / docs.length).toFixed(1)} bytes a lease`);
    expect(bytes / docs.length).toBeLessThan(40);
    const listed: string[] = [];
    for await (const page of engine.inspector.leases()) listed.push(...page.map((row) => row.doc));
    expect(listed.sort()).toEqual(docs);
  });
});
