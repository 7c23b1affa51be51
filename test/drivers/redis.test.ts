import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { openRedisEngine, type RedisEngine } from '../../src/drivers/redis/redis-engine.ts';
import { SystemClock } from '../../src/drivers/system/system-clock.ts';
import { SystemRandom } from '../../src/drivers/system/system-random.ts';
import { parseEngineUrl } from '../../src/foundation/url.ts';
import type { Engine } from '../../src/ports/engine.ts';
import { busLaws } from '../conformance/bus.ts';
import { cacheRecordsLaws } from '../conformance/cache-records.ts';
import { clusterRecordLaws } from '../conformance/cluster-record.ts';
import { type EngineFixture, freshId } from '../conformance/engine-fixture.ts';
import { inspectorLaws } from '../conformance/inspector.ts';
import { leasesLaws } from '../conformance/leases.ts';
import { registryLaws } from '../conformance/registry.ts';
import { sessionsLaws } from '../conformance/sessions.ts';
import { type StoreFixture, storeLaws } from '../conformance/store.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

const [clock, random] = [new SystemClock(), new SystemRandom()];

let server: RedisServer;

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

function openEngine(prefix: string): Promise<RedisEngine> {
  const url = parseEngineUrl(server.url);
  if (url.kind !== 'redis') throw new Error(`${server.url} is not a Redis URL`);
  return openRedisEngine(url.address, { clock, random, prefix });
}

async function open(): Promise<EngineFixture> {
  const prefix = `${freshId('prefix')}:`;
  const opened = [await openEngine(prefix)];
  return {
    engine: opened[0]!,
    async openAnother() {
      const another = await openEngine(prefix);
      opened.push(another);
      return another;
    },
    async wipe() {
      await server.restartEmpty();
    },
    async interrupt() {
      for (const type of ['pubsub', 'normal']) {
        await server.cli('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
      }
    },
    async stopAnswering() {
      await server.kill('SIGSTOP');
    },
    async pass(ms) {
      await wait(ms);
    },
    async close() {
      await server.kill('SIGCONT');
      await Promise.all(opened.map((engine) => engine.close()));
    },
  };
}

async function openStore(): Promise<StoreFixture> {
  const { engine, openAnother, pass, close } = await open();
  const storeOf = (one: Engine) => (one as RedisEngine).openStore();
  return {
    store: storeOf(engine),
    openAnother: async () => storeOf(await openAnother()),
    reopen: async () => storeOf(engine),
    pass,
    close,
  };
}

const name = 'a real Redis';

busLaws(name, open);
sessionsLaws(name, open, { scaleMs: 150 });
leasesLaws(name, open);
registryLaws(name, open, { scaleMs: 150 });
clusterRecordLaws(name, open);
cacheRecordsLaws(name, open, { scaleMs: 150 });
inspectorLaws(name, open);
storeLaws(name, openStore);
