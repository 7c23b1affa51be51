import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WireFault } from '../../../src/verification/drills/proxy/wire-fault.ts';
import { ProxiedRedis } from './support/proxied-redis.ts';

let redis: ProxiedRedis;
beforeAll(async () => {
  redis = await ProxiedRedis.start();
});
beforeEach(() => redis.renew());
afterAll(() => redis.stop());

const all = { connections: 'all' } as const;
const elapsed = async (run: () => Promise<unknown>) => {
  const sinceMs = performance.now();
  await run();
  return performance.now() - sinceMs;
};

describe('a proxy without faults', () => {
  it('passes everything in both directions, whatever its size', async () => {
    const client = await redis.client();
    const value = Buffer.alloc(8_000_000, 'abcdefg\r\n$5\r\n');
    await client.set('big', value);
    const back = await client.getBuffer('big');
    const digest = (bytes: Buffer | null) => createHash('sha1').update(bytes!).digest('hex');
    expect(digest(back)).toBe(digest(value));
  });

  it('knows what connections are for, from the first command that says it', async () => {
    await redis.client();
    const commands = await redis.client();
    await commands.get('a');
    await redis.listener('news');
    await expect
      .poll(() => [...redis.proxy.connections()].sort())
      .toEqual([...['command', 'new', 'subscriber']]);
  });

  it('tells each side that the other one ended', async () => {
    const raw = await redis.socket();
    raw.socket.end('PING\r\n');
    await expect.poll(() => raw.ended).toBe('closed');
    expect(redis.proxy.connections()).toEqual([]);
    const other = await redis.socket();
    other.socket.write('QUIT\r\n');
    await expect.poll(() => [other.received, other.ended]).toEqual(['+OK\r\n', 'closed']);
  });

  it('passes on what is no RESP, and the answer to it', async () => {
    const raw = await redis.socket();
    redis.inject({ kind: 'refuse-command', command: '*', key: '*', share: 1, error: 'OOM no' });
    raw.socket.write(Buffer.from('*1\r\n:5\r\n'));
    await expect
      .poll(() => [raw.received, raw.ended])
      .toEqual([...["-ERR Protocol error: expected '$', got ':'\r\n", 'closed']]);
  });

  it('breaks off who connects while the broker is away, and works when it is back', async () => {
    await redis.server.kill('SIGKILL');
    const raw = await redis.socket();
    await expect.poll(() => raw.ended).toBe('ECONNRESET');
    await redis.server.restart();
    expect(await (await redis.client()).ping()).toBe('PONG');
  });
});

describe('a cut', () => {
  it('closes all connections and sends new ones away, until it is over', async () => {
    const client = await redis.client();
    const fault = redis.inject({ kind: 'cut', ...all });
    await expect.poll(() => client.status).toBe('end');
    await expect(redis.client()).rejects.toThrow();
    expect(fault.touched()).toBe(2);
    fault.revert();
    fault.revert();
    expect(await (await redis.client()).ping()).toBe('PONG');
  });

  it('of subscribers leaves commands alone, and cuts who begins to subscribe', async () => {
    const { client } = await redis.listener('news');
    const commands = await redis.client();
    await commands.get('a');
    const fault = redis.inject({ kind: 'cut', connections: 'subscriber' });
    await expect.poll(() => client.status).toBe('end');
    await expect(redis.listener('news')).rejects.toThrow();
    expect(await commands.get('a')).toBeNull();
    expect(fault.touched()).toBe(2);
    fault.revert();
    await redis.listener('news');
  });
});

describe('a half-open network', () => {
  it('loses everything on open connections, and resets them when it is over', async () => {
    const raw = await redis.socket();
    raw.socket.write('PING\r\n');
    await expect.poll(() => raw.received).toBe('+PONG\r\n');
    const fault = redis.inject({ kind: 'half-open', ...all });
    raw.socket.write('SET a 1\r\n');
    const late = await redis.socket();
    late.socket.write('SET b 1\r\n');
    await expect.poll(() => fault.touched()).toBe(2);
    expect([raw.ended, late.ended]).toEqual([null, null]);
    fault.revert();
    await expect.poll(() => [raw.ended, late.ended]).toEqual(['ECONNRESET', 'ECONNRESET']);
    expect(await redis.server.cli('EXISTS', 'a', 'b')).toBe('0');
    expect(raw.received).toBe('+PONG\r\n');
  });

  it('keeps the broker from learning that a node closed its side', async () => {
    const { client } = await redis.listener('news');
    const fault = redis.inject({ kind: 'half-open', connections: 'subscriber' });
    client.disconnect();
    client.stream.destroy();
    await expect.poll(() => fault.touched()).toBeGreaterThan(0);
    const receivers = () => redis.server.cli('PUBLISH', 'news', 'hello');
    expect(await receivers()).toBe('1');
    fault.revert();
    await expect.poll(receivers).toBe('0');
    expect(redis.proxy.connections()).toEqual([]);
  });

  it('makes a subscriber deaf while commands work, also one that subscribes anew', async () => {
    const commands = await redis.client();
    const { heard } = await redis.listener('news');
    const fault = redis.inject({ kind: 'half-open', connections: 'subscriber' });
    await commands.publish('news', 'lost');
    await expect.poll(() => fault.touched()).toBe(1);
    const second = await redis.client();
    const subscribed = second.subscribe('news').catch((error) => error.message);
    await expect.poll(() => fault.touched()).toBe(2);
    expect(heard).toEqual([]);
    fault.revert();
    expect(await subscribed).toMatch(/closed|ECONNRESET/);
    const again = await redis.listener('news');
    await commands.publish('news', 'heard');
    await expect.poll(() => again.heard).toEqual(['news heard']);
  });
});

describe('a wedge', () => {
  it('silences a connection for good, while one that is made anew works', async () => {
    const commands = await redis.client();
    const { client, heard } = await redis.listener('news');
    const fault = redis.inject({ kind: 'wedge', connections: 'subscriber' });
    expect(fault.touched()).toBe(0);
    await commands.publish('news', 'lost');
    await expect.poll(() => fault.touched()).toBe(1);
    const again = await redis.listener('news');
    expect(await commands.publish('news', 'heard')).toBe(2);
    await expect.poll(() => again.heard).toEqual(['news heard']);
    expect(heard).toEqual([]);
    expect(client.status).toBe('ready');
    fault.revert();
    await expect.poll(() => client.status).toBe('end');
    expect(again.client.status).toBe('ready');
  });

  it('leaves alone who said and heard nothing meanwhile', async () => {
    const { client, heard } = await redis.listener('news');
    redis.inject({ kind: 'wedge', connections: 'all' }).revert();
    const commands = await redis.client();
    await commands.publish('news', 'heard');
    await expect.poll(() => heard).toEqual(['news heard']);
    expect(client.status).toBe('ready');
  });
});

describe('two half-open networks', () => {
  it('end for a connection when both are over', async () => {
    const commands = await redis.client();
    await commands.get('a');
    const { client } = await redis.listener('news');
    const all = redis.inject({ kind: 'half-open', connections: 'all' });
    const some = redis.inject({ kind: 'half-open', connections: 'command' });
    all.revert();
    await expect.poll(() => client.status).toBe('end');
    expect(commands.status).toBe('ready');
    some.revert();
    await expect.poll(() => commands.status).toBe('end');
  });
});

describe('a reset', () => {
  it('breaks connections off once, and new ones work', async () => {
    const raw = await redis.socket();
    raw.socket.write('PING\r\n');
    await expect.poll(() => raw.received).toBe('+PONG\r\n');
    const fault = redis.inject({ kind: 'reset', ...all, everyMs: null });
    await expect.poll(() => raw.ended).toBe('ECONNRESET');
    expect(await (await redis.client()).ping()).toBe('PONG');
    expect(fault.touched()).toBe(1);
  });

  it('comes again and again when it is told to, until it is over', async () => {
    const fault = redis.inject({ kind: 'reset', ...all, everyMs: 20 });
    for (const count of [1, 2]) {
      const raw = await redis.socket();
      await expect.poll(() => raw.ended).toBe('ECONNRESET');
      expect(fault.touched()).toBe(count);
    }
    fault.revert();
    const client = await redis.client();
    for (let count = 0; count < 30; count++) await client.ping();
    expect(fault.touched()).toBe(2);
  });
});

describe('latency', () => {
  const slow: WireFault = {
    ...{ kind: 'latency', ...all, direction: 'both', latencyMs: 150, jitterMs: 50 },
  };

  it('delays each way, keeps the order, and is gone at once', async () => {
    const client = await redis.client();
    const fault = redis.inject(slow);
    const replies: number[] = [];
    const tookMs = await elapsed(() =>
      Promise.all(Array.from({ length: 20 }, async () => replies.push(await client.incr('n')))),
    );
    expect(tookMs).toBeGreaterThan(290);
    expect(replies).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(fault.touched()).toBeGreaterThanOrEqual(2);
    const pending = client.incr('n');
    fault.revert();
    expect(await pending).toBe(21);
    expect(await elapsed(() => client.ping())).toBeLessThan(150);
  });

  it('lets what it still holds go when it is over', async () => {
    const client = await redis.client();
    const fault = redis.inject({ ...slow, latencyMs: 60_000 } as WireFault);
    const pending = client.ping();
    await expect.poll(() => fault.touched()).toBe(1);
    fault.revert();
    expect(await pending).toBe('PONG');
  });
});

describe('a limit of bandwidth', () => {
  it('takes the time that so many bytes take, and no longer than it lasts', async () => {
    const client = await redis.client();
    const fault = redis.inject({
      ...{ kind: 'bandwidth', ...all, direction: 'to-broker', bytesPerSecond: 100_000 },
    });
    const tookMs = await elapsed(() => client.set('a', 'x'.repeat(30_000)));
    expect(tookMs).toBeGreaterThan(230);
    expect(await elapsed(() => client.get('a'))).toBeLessThan(280);
    const pending = client.set('a', 'x'.repeat(5_000_000));
    await expect.poll(() => fault.touched()).toBeGreaterThan(20);
    fault.revert();
    expect(await pending).toBe('OK');
  });
});

describe('one direction', () => {
  it('to the broker is held back, and arrives when it is over', async () => {
    const client = await redis.client();
    const { heard } = await redis.listener('news');
    const fault = redis.inject({ kind: 'one-way', ...all, direction: 'to-broker' });
    const pending = client.set('a', '1');
    await expect.poll(() => fault.touched()).toBe(1);
    expect(await redis.server.cli('EXISTS', 'a')).toBe('0');
    await redis.server.cli('PUBLISH', 'news', 'still heard');
    await expect.poll(() => heard).toEqual(['news still heard']);
    fault.revert();
    expect(await pending).toBe('OK');
  });

  it('to the node is held back, though the command was carried out', async () => {
    const client = await redis.client();
    const fault = redis.inject({ kind: 'one-way', ...all, direction: 'to-node' });
    const pending = client.set('a', '1');
    await expect.poll(() => fault.touched()).toBe(1);
    expect(await redis.server.cli('EXISTS', 'a')).toBe('1');
    fault.revert();
    expect(await pending).toBe('OK');
  });

  it('keeps no more than a megabyte of what it holds back', async () => {
    const raw = await redis.socket();
    const fault = redis.inject({ kind: 'one-way', ...all, direction: 'to-broker' });
    const value = Buffer.alloc(64_000_000, 'x');
    raw.socket.write(`*3\r\n$3\r\nSET\r\n$1\r\na\r\n$${value.length}\r\n`);
    raw.socket.write(value);
    const unsent = () => raw.socket.writableLength;
    await expect.poll(() => fault.touched()).toBeGreaterThan(10);
    expect(unsent()).toBeGreaterThan(32_000_000);
    fault.revert();
    raw.socket.write('\r\n');
    await expect.poll(() => raw.received).toBe('+OK\r\n');
  });
});

describe('faults together', () => {
  it('each have their effect, and are taken back one by one', async () => {
    const client = await redis.client();
    await client.set('a', '1');
    const slow = redis.inject({
      ...{ kind: 'latency', ...all, direction: 'to-node', latencyMs: 200, jitterMs: 0 },
    });
    const refused = redis.inject({
      ...{ kind: 'refuse-command', command: 'GET', key: '*', share: 1, error: 'OOM no' },
    });
    const stalled = redis.inject({ kind: 'one-way', ...all, direction: 'to-broker' });
    const get = client.get('a').catch((error) => error.message);
    const exists = client.exists('a');
    await expect.poll(() => stalled.touched()).toBeGreaterThan(0);
    stalled.revert();
    expect(await elapsed(() => exists)).toBeGreaterThan(190);
    expect(await get).toBe('OOM no');
    refused.revert();
    expect(await elapsed(async () => expect(await client.get('a')).toBe('1'))).toBeGreaterThan(190);
    slow.revert();
    expect(await elapsed(() => client.get('a'))).toBeLessThan(190);
  });

  it('end with the proxy, which leaves no connection behind', async () => {
    const raw = await redis.socket();
    redis.inject({ kind: 'half-open', ...all });
    redis.inject({ kind: 'latency', ...all, direction: 'both', latencyMs: 60_000, jitterMs: 0 });
    redis.inject({ kind: 'reset', ...all, everyMs: 60_000 });
    raw.socket.write('PING\r\n');
    await redis.proxy.close();
    await expect.poll(() => raw.ended).not.toBeNull();
    await expect(redis.socket()).rejects.toThrow(/ECONNREFUSED/);
    await expect.poll(() => redis.server.cli('CLIENT', 'LIST')).toMatch(/^id=.*\n?$/);
  });
});
