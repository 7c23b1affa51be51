import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRedisEngine, type RedisEngine } from '../../src/drivers/redis/redis-engine.ts';
import { SystemClock } from '../../src/drivers/system/system-clock.ts';
import { SystemRandom } from '../../src/drivers/system/system-random.ts';
import { parseEngineUrl } from '../../src/foundation/url.ts';
import { silentLogger } from '../../src/ports/logger.ts';
import { NodeRuntime } from '../../src/runtime/node-runtime.ts';
import { defaultDials } from '../../src/runtime/node-settings.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

const run = promisify(execFile);
const bin = fileURLToPath(new URL('../../bin/backplane.js', import.meta.url));
/** Prints the largest memory the process had, in KiB, as the last thing it does. */
const reportPeak =
  'data:text/javascript,process.on("exit",()=>console.error(process.resourceUsage().maxRSS))';
const documents = 100_000;
const heartbeatMs = 1_000;
let redis: RedisServer;
let engine: RedisEngine;
let node: NodeRuntime;

beforeAll(async () => {
  redis = await startRedisServer();
  const url = parseEngineUrl(redis.url);
  if (url.kind !== 'redis') throw new Error('the test has its own Redis');
  const machine = { clock: new SystemClock(), random: new SystemRandom(), logger: silentLogger };
  engine = await openRedisEngine(url.address, machine);
  node = new NodeRuntime(
    { engine, store: engine.openStore(), ...machine },
    {
      nodeId: 'owner-of-many',
      version: '0',
      pid: process.pid,
      address: () => null,
      dials: { ...defaultDials, heartbeatMs, nodeTimeoutMs: 20_000 },
      fastTakeover: true,
      documentEngine: 'json',
      drainRequested: () => {},
    },
  );
  await node.start();
}, 30_000);

afterAll(async () => {
  await node.stop('crash');
  await engine.close();
  await redis.stop();
});

test('a node pays for its session, not for its documents', async () => {
  await node.acquire('doc-0');
  const withOne = await commandsOfHeartbeats(5);
  await acquireAll();
  const withMany = await commandsOfHeartbeats(5);
  console.log(
    `commands in 5 heartbeats: ${withOne} with 1 document, ${withMany} with ${documents}`,
  );
  // Heartbeats, sweeps and probes fall a little differently into any five seconds.
  expect(withMany).toBeLessThan(withOne * 1.5 + 10);
}, 240_000);

test('inspect leases streams them all in bounded memory', async () => {
  const args = ['--import', reportPeak, bin, 'inspect', 'leases', '-o', 'jsonl'];
  const { stdout, stderr } = await run(process.execPath, [...args, '--url', redis.url], {
    maxBuffer: 64 * 1_048_576,
  });
  const rows = stdout.trimEnd().split('\n');
  const peakMb = Number(stderr.trim().split('\n').at(-1)) / 1_024;
  console.log(`${rows.length} leases listed, peak memory ${Math.round(peakMb)} MB`);
  expect(rows.length).toBe(documents);
  expect(new Set(rows.map((row) => JSON.parse(row).doc)).size).toBe(documents);
  expect(peakMb).toBeLessThan(150);
}, 60_000);

async function acquireAll(): Promise<void> {
  let next = 1;
  const work = async () => {
    for (let index = next++; index < documents; index = next++) await node.acquire(`doc-${index}`);
  };
  await Promise.all(Array.from({ length: 256 }, work));
}

/** What Redis was asked to do while nothing happened but life going on. */
async function commandsOfHeartbeats(count: number): Promise<number> {
  await redis.cli('CONFIG', 'RESETSTAT');
  await new Promise((resolve) => setTimeout(resolve, count * heartbeatMs));
  const stats = await redis.cli('INFO', 'commandstats');
  const calls = [...stats.matchAll(/calls=(\d+)/g)].map(([, calls]) => Number(calls));
  return calls.reduce((sum, each) => sum + each, 0);
}
