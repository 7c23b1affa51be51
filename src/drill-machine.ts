import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Machine } from './composition.ts';
import { BackplaneError } from './foundation/errors.ts';
import type { RedisAddress } from './foundation/url.ts';
import { parseEngineUrl, parseStoreUrl } from './foundation/url.ts';
import type { Tap } from './ports/tap.ts';
import type { DrillDoors } from './verification/drills/drill-doors.ts';

/** What drills need of this machine: its drivers, and the command that starts its nodes. */
export function drillMachine(machine: Machine, environment: DrillDoors['environment']): DrillDoors {
  const bin = fileURLToPath(new URL('../bin/backplane.js', import.meta.url));
  return {
    ...machine,
    environment,
    program: [process.execPath, bin],
    temporary: tmpdir(),
    async openEngine(brokerUrl) {
      const { openRedisEngine } = await import('./drivers/redis/redis-engine.ts');
      const engine = await openRedisEngine(addressOf(brokerUrl), machine);
      return {
        engine,
        openStore: async (storeUrl) => {
          const store = parseStoreUrl(storeUrl);
          if (store.kind !== 'sqlite') return engine.openStore();
          const { openSqliteStore } = await import('./drivers/sqlite/sqlite-store.ts');
          return openSqliteStore(store.path, machine);
        },
      };
    },
    async openTap({ brokerUrl, storeUrl }, witness) {
      const { openRedisTap } = await import('./drivers/redis/redis-tap.ts');
      const store = parseStoreUrl(storeUrl);
      const watchesStore = store.kind === 'redis';
      const taps: Tap[] = [
        await openRedisTap(addressOf(brokerUrl), { ...machine, witness, watchesStore }),
      ];
      if (store.kind === 'sqlite') {
        const { openSqliteTap } = await import('./drivers/sqlite/sqlite-tap.ts');
        taps.push(await openSqliteTap(store.path, { ...machine, witness }));
      }
      return allOf(taps);
    },
    async *listKeys(brokerUrl) {
      const { listRedisKeys } = await import('./drivers/redis/redis-key-listing.ts');
      yield* listRedisKeys(addressOf(brokerUrl), machine);
    },
    async scriptNames() {
      const { redisScriptNames } = await import('./drivers/redis/redis-scripts.ts');
      return redisScriptNames();
    },
    async findServer() {
      const { findServer } = await import('./drivers/embedded/find-server.ts');
      return findServer(environment.PATH ?? '');
    },
  };
}

function addressOf(brokerUrl: string): RedisAddress {
  const url = parseEngineUrl(brokerUrl);
  if (url.kind !== 'redis') {
    throw new BackplaneError('INTERNAL', `${brokerUrl} is no address of a Redis`);
  }
  return url.address;
}

function allOf(taps: readonly Tap[]): Tap {
  return {
    flush: async () => void (await Promise.all(taps.map((tap) => tap.flush()))),
    close: async () => void (await Promise.all(taps.map((tap) => tap.close()))),
  };
}
