import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { RedisKeys } from '../../src/drivers/redis/keys.ts';
import type { RedisEngine } from '../../src/drivers/redis/redis-engine.ts';
import { commandsNeeded } from '../../src/drivers/redis/redis-rights.ts';
import type { CacheScope } from '../../src/ports/cache-records.ts';
import {
  someDescription as description,
  someVitals as vitals,
} from '../conformance/engine-fixture.ts';
import { backplaneFailureOf, expectCode, RedisEngines } from '../support/redis-engines.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

// Many engines are opened, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const engines = new RedisEngines();
let server: RedisServer;

beforeAll(async () => {
  server = await startRedisServer();
});
afterEach(() => engines.closeAll());
afterAll(() => server.stop());

describe('access rules', () => {
  const minimal = [
    ...[
      'hello',
      'ping',
      'client|setname',
      'eval',
      'eval_ro',
      'evalsha',
      'evalsha_ro',
      'time',
      'exists',
      'get',
      'set',
      'del',
    ],
    ...['hset', 'hget', 'hmget', 'hgetall', 'hdel', 'hscan', 'pexpire', 'pttl', 'zadd', 'zrem'],
    ...['zscore', 'zrange', 'zrangebyscore', 'zrangebylex', 'xadd', 'xrange', 'publish'],
    ...['subscribe', 'unsubscribe', 'pubsub|numsub', 'pubsub|channels', 'info', 'unlink'],
  ];

  async function userWith(name: string, rules: readonly string[]): Promise<string> {
    await server.cli('ACL', 'SETUSER', name, 'reset', 'on', '>secret', '-@all', ...rules);
    return `redis://${name}:secret@127.0.0.1:${server.port}`;
  }

  test('a minimal user can run everything', async () => {
    const rules = ['~mine:*', '&mine:*', ...minimal.map((verb) => `+${verb}`)];
    const engine = await engines.open(await userWith('minimal', rules), 'mine:');
    await runEverything(engine);
  });

  test('the doctor asks for each command of the minimal user, and for no other', () => {
    const withSub = ['client', 'pubsub'];
    const asked = commandsNeeded(new RedisKeys('mine:')).map(({ words }) =>
      withSub.includes(words[0] ?? '') ? words.slice(0, 2).join('|') : words[0],
    );
    expect([...new Set(asked)].sort()).toEqual([...minimal].sort());
  });

  test('each command of the minimal user is needed, and its lack is named with its remedy', async () => {
    // Asked while connecting, or answered to everybody.
    const silent = new Set(['hello', 'client|setname']);
    for (const verb of minimal.filter((one) => !silent.has(one))) {
      const granted = minimal.filter((one) => one !== verb).map((one) => `+${one}`);
      const url = await userWith('lacking', ['~mine:*', '&mine:*', ...granted]);
      // A script that somebody else has loaded would need no EVAL.
      await server.cli('SCRIPT', 'FLUSH');
      await server.cli(
        'EVAL',
        "for _,k in ipairs(redis.call('KEYS','mine:*')) do redis.call('DEL',k) end",
        '0',
      );
      const failure = await backplaneFailureOf(engines.open(url, 'mine:').then(runEverything));
      await engines.closeAll();
      expect(failure).toMatchObject({ code: 'PERMISSION_DENIED' });
      expect(failure.remedy).toBe(`ACL SETUSER lacking +${verb}`);
    }
  });

  test('a forbidden channel and a forbidden key are named', async () => {
    const verbs = minimal.map((verb) => `+${verb}`);
    const engine = await engines.open(await userWith('narrow', ['~mine:doc:*', ...verbs]), 'mine:');
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
    const engine = await engines.open(await userWith('changing', ['~*', '&*', '+@all']));
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
  await runCaches(engine);
  await runRegistry(engine);
  await subscription.close();
  expect(await sessions.list()).toHaveLength(1);
  expect(await sessions.fence('s', 1, 'left')).toBe('fenced');
  expect(await sessions.takeSweep(1_000)).toBe('s');
  for (let from: string | null = null, more = true; more; more = from !== null) {
    from = (await leases.sweep('s', from)).next;
  }
  expect((await engine.registry.clear('s')).done).toBe(true);
  await sessions.finishSweep('s');
}

async function runRegistry({ registry }: RedisEngine): Promise<void> {
  const write = { session: 's', hub: 'h', version: 1, changes: [{ id: 'c', record: '{}' }] };
  expect(await registry.write({ ...write, from: 0 })).toEqual({ status: 'written' });
  expect(await registry.write({ ...write, from: null, version: 2 })).toEqual({ status: 'written' });
  expect(await registry.versions('h')).toEqual(new Map([['s', 2]]));
  expect((await registry.read('s', 'h', null)).records).toHaveLength(1);
  expect((await registry.hubs(null)).hubs).toEqual(['h']);
  const claim = { name: 'n', session: 's', token: 't', holder: '{}' };
  expect(await registry.hold(claim, 'refuse')).toEqual({ status: 'held' });
  expect((await registry.names(null)).names).toEqual([claim]);
  expect(await registry.letGo('n', 's', 't')).toBe(true);
}

async function runCaches({ cacheRecords }: RedisEngine): Promise<void> {
  const token = 'token-of-16-char';
  await cacheRecords.join('r', token, true);
  const { mark } = await cacheRecords.read('r', 'k');
  const write = { region: 'r', key: 'k', value: Buffer.from('v'), ttlMs: 60_000, mark };
  expect(await cacheRecords.write(write)).toBe('written');
  const announced = { channel: 'cache:r', announcement: Buffer.from('a'), seen: null };
  const scopes = [{ kind: 'key', key: 'k' }, { kind: 'prefix', prefix: 'k' }, { kind: 'region' }];
  for (const [at, scope] of (scopes as CacheScope[]).entries()) {
    await cacheRecords.evict({ region: 'r', scope, token: `${at}`.repeat(16), ...announced });
  }
  const { stamps } = await cacheRecords.look(['r']);
  expect(stamps).toMatchObject([{ count: 3 }]);
  expect(await cacheRecords.regions()).toEqual(['r']);
}
