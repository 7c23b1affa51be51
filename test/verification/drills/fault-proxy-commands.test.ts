import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openRedisEngine } from '../../../src/drivers/redis/redis-engine.ts';
import { redisScriptNames } from '../../../src/drivers/redis/redis-scripts.ts';
import { parseEngineUrl, type RedisAddress } from '../../../src/foundation/url.ts';
import type {
  DropChannelFault,
  RefuseCommandFault,
  SlowCommandFault,
} from '../../../src/verification/drills/proxy/wire-fault.ts';
import { SeededRandom } from '../../../src/verification/seeded-random.ts';
import { realClock } from '../../support/real-clock.ts';
import { ProxiedRedis } from './support/proxied-redis.ts';

let redis: ProxiedRedis;
beforeAll(async () => {
  redis = await ProxiedRedis.start();
});
beforeEach(() => redis.renew());
afterAll(() => redis.stop());

const protocols = [{ protocol: 2 }, { protocol: 3 }] as const;
const refuse = (changes: Partial<RefuseCommandFault>) =>
  redis.inject({
    ...{ kind: 'refuse-command', command: '*', key: '*', share: 1, error: 'OOM no memory' },
    ...changes,
  });
const slow = (changes: Partial<SlowCommandFault>) =>
  redis.inject({
    ...{ kind: 'slow-command', command: '*', key: '*', share: 1, delayMs: 80, late: 'command' },
    ...changes,
  });
const drop = (changes: Partial<DropChannelFault>) =>
  redis.inject({ kind: 'drop-channel', channel: '*', publish: false, share: 1, ...changes });
const elapsed = async (run: () => Promise<unknown>) => {
  const sinceMs = performance.now();
  await run();
  return performance.now() - sinceMs;
};
const redisAddress = (): RedisAddress => {
  const url = parseEngineUrl(`redis://127.0.0.1:${redis.proxy.port}`);
  if (url.kind !== 'redis') throw new Error('not a URL of Redis');
  return url.address;
};
/** What became of each: its value, or the message of its error. */
const outcomes = (calls: Promise<unknown>[]) =>
  Promise.all(calls.map((call) => call.catch((error: Error) => error.message)));

describe.each(protocols)('a refused command in RESP$protocol', ({ protocol }) => {
  it('gets the error in its place in the pipeline, and does not reach the broker', async () => {
    const client = await redis.client({ protocol });
    const fault = refuse({ command: 'set', key: 'b*' });
    const calls = [
      ...[client.set('a', '1'), client.set('b', '1'), client.get('a'), client.set('bb', '1')],
      ...[client.incr('c'), client.exists('b', 'bb')],
    ];
    expect(await outcomes(calls)).toEqual(['OK', 'OOM no memory', '1', 'OOM no memory', 1, 0]);
    expect(fault.touched()).toBe(2);
    fault.revert();
    expect(await client.set('b', '1')).toBe('OK');
  });

  it('gets it between replies of any size, and after a subscription', async () => {
    const client = await redis.client({ protocol });
    await client.set('big', 'x'.repeat(300_000));
    refuse({ command: 'ECHO' });
    const calls = Array.from({ length: 20 }, (_, index) =>
      index % 2 ? client.echo('no') : client.get('big'),
    );
    const lengths = (await outcomes(calls)).map((each) => String(each).length);
    expect(new Set(lengths)).toEqual(new Set([300_000, 'OOM no memory'.length]));
    expect(lengths.every((length, index) => (index % 2 === 0) === (length === 300_000))).toBe(true);
  });

  it('can be the subscription itself', async () => {
    const fault = refuse({ command: 'SUBSCRIBE', key: 'secret*' });
    const { client } = await redis.listener('news', { protocol });
    expect(await outcomes([client.subscribe('secret')])).toEqual(['OOM no memory']);
    await client.subscribe('more', 'and more');
    expect(await outcomes([client.subscribe('secrets', 'news')])).toEqual(['OOM no memory']);
    fault.revert();
    await client.subscribe('secret');
    await expect.poll(() => redis.server.cli('PUBSUB', 'CHANNELS', 'secret*')).toBe('secret');
  });
});

describe('a choice of commands', () => {
  it('can be the heartbeats of a node and nothing else', async () => {
    await redis.renew(redisScriptNames());
    const fault = refuse({ command: 'renew-session' });
    const parts = { clock: realClock, random: new SeededRandom(1) };
    const engine = await openRedisEngine(redisAddress(), parts);
    const description = { nodeId: 'a', address: null, pid: 1, version: '1', protocol: 1 };
    const session = { id: 'a-1', token: 't', ttlMs: 10_000 };
    await engine.sessions.open({
      ...session,
      description: { ...description, configHash: '', startedAt: '' },
    });
    const vitals = { documents: 0, connections: 0, draining: false, deaf: false };
    const renew = () => engine.sessions.renew({ ...session, beat: 1, vitals });
    await expect(renew()).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(await engine.leases.claim('doc', null, 'a-1')).toMatchObject({ status: 'claimed' });
    fault.revert();
    expect(await renew()).toMatchObject({ status: 'renewed' });
    expect(fault.touched()).toBe(1);
    await engine.close();
  });

  it('knows scripts by name, whether they are sent whole or by hash, and by their key', async () => {
    const sha1 = createHash('sha1').update('return nil').digest('hex');
    await redis.renew(new Map([[sha1, 'say-nothing']]));
    const client = await redis.client();
    await client.script('LOAD', 'return nil');
    const fault = refuse({ command: 'say-*', key: 'doc:*' });
    const calls = [
      ...[client.eval('return nil', 1, 'doc:a'), client.evalsha(sha1, 1, 'doc:b')],
      ...[client.evalsha(sha1, 1, 'other'), client.evalsha(sha1, 0)],
      client.eval('return 1', 1, 'doc:c'),
    ];
    expect(await outcomes(calls)).toEqual(['OOM no memory', 'OOM no memory', null, null, 1]);
    expect(fault.touched()).toBe(2);
  });

  it('knows the scripts of a node', () => {
    const names = [...redisScriptNames().values()];
    expect(names).toEqual(expect.arrayContaining(['append-ops', 'renew-session']));
    expect([...redisScriptNames().keys()].every((sha1) => /^[0-9a-f]{40}$/.test(sha1))).toBe(true);
  });

  it('leaves the greeting of a new connection alone unless it is named', async () => {
    const fault = refuse({ command: '*' });
    const client = await redis.client();
    expect(await outcomes([client.get('a')])).toEqual(['OOM no memory']);
    expect(fault.touched()).toBe(1);
    fault.revert();
    refuse({ command: 'HELLO' });
    await expect(redis.client({ protocol: 3 })).rejects.toThrow();
  });

  it('hits about the share that was asked for', async () => {
    const client = await redis.client();
    const fault = refuse({ share: 0.3 });
    await outcomes(Array.from({ length: 400 }, () => client.get('a')));
    expect(fault.touched()).toBeGreaterThan(70);
    expect(fault.touched()).toBeLessThan(170);
  });

  it('can no longer be made where replies cannot be counted', async () => {
    const raw = await redis.socket();
    raw.socket.write('CLIENT REPLY SKIP\r\nPING\r\n');
    const fault = refuse({ command: 'GET' });
    raw.socket.write('GET a\r\n');
    await expect.poll(() => raw.received).toBe('$-1\r\n');
    expect(fault.touched()).toBe(0);
  });
});

describe('a slow command', () => {
  it('arrives late, and holds up what is behind it on its connection only', async () => {
    const [client, other] = [await redis.client(), await redis.client()];
    const fault = slow({ command: 'INCR', key: 'slow', delayMs: 1_000 });
    const tookMs = elapsed(async () => {
      const calls = [client.set('a', '1'), client.incr('slow'), client.set('b', '1')];
      await calls[0];
      expect(await redis.server.cli('EXISTS', 'slow', 'b')).toBe('0');
      await Promise.all(calls);
    });
    expect(await elapsed(() => other.incr('fast'))).toBeLessThan(900);
    expect(await tookMs).toBeGreaterThan(990);
    expect(fault.touched()).toBe(1);
    fault.revert();
    expect(await elapsed(() => client.incr('slow'))).toBeLessThan(900);
  });

  it('can be carried out in time, and only its reply be late', async () => {
    const client = await redis.client();
    const fault = slow({ command: 'INCR', late: 'reply', delayMs: 60_000 });
    const calls = [client.get('a'), client.incr('n'), client.get('n')];
    expect(await calls[0]).toBeNull();
    await expect.poll(() => redis.server.cli('GET', 'n')).toBe('1');
    await expect.poll(() => fault.touched()).toBe(1);
    fault.revert();
    expect(await outcomes(calls)).toEqual([null, 1, '1']);
  });

  it('keeps its order with refused ones', async () => {
    const client = await redis.client();
    slow({ command: 'INCR', late: 'reply' });
    refuse({ command: 'GET' });
    const calls = [client.get('a'), client.incr('n'), client.get('n'), client.set('b', '1')];
    expect(await outcomes(calls)).toEqual(['OOM no memory', 1, 'OOM no memory', 'OK']);
  });
});

describe.each(protocols)('dropped messages in RESP$protocol', ({ protocol }) => {
  it('are those of the channel, and no others', async () => {
    const { client, heard } = await redis.listener('doc:a', { protocol });
    await client.subscribe('doc:b', 'inbox:a');
    const fault = drop({ channel: 'doc:*' });
    for (const channel of ['doc:a', 'inbox:a', 'doc:b']) {
      expect(await redis.server.cli('PUBLISH', channel, 'hello')).toBe('1');
    }
    await redis.server.cli('PUBLISH', 'inbox:a', 'last');
    await expect.poll(() => heard).toEqual(['inbox:a hello', 'inbox:a last']);
    expect(fault.touched()).toBe(2);
    fault.revert();
    await redis.server.cli('PUBLISH', 'doc:a', 'again');
    await expect.poll(() => heard.at(-1)).toBe('doc:a again');
    expect(await client.ping()).toBeTruthy();
  });

  it('are also those of a pattern, and of any size', async () => {
    const { heard } = await redis.listener('doc:*', { protocol });
    drop({ channel: 'doc:a' });
    await redis.server.cli('PUBLISH', 'doc:a', 'x'.repeat(100_000));
    await redis.server.cli('PUBLISH', 'doc:b', 'y');
    await expect.poll(() => heard).toEqual(['doc:b y']);
  });

  it('can be those that the node publishes, which is told that somebody heard them', async () => {
    const publisher = await redis.client({ protocol });
    const { heard } = await redis.listener('news', { protocol });
    const fault = drop({ channel: 'elsewhere', publish: true });
    expect(await outcomes([publisher.publish('elsewhere', 'no'), publisher.get('a')])).toEqual([
      ...[1, null],
    ]);
    await publisher.publish('news', 'yes');
    await expect.poll(() => heard).toEqual(['news yes']);
    expect(fault.touched()).toBe(1);
  });
});
