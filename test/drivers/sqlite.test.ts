import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openSqliteStore, type SqliteStore } from '../../src/drivers/sqlite/sqlite-store.ts';
import { SystemClock } from '../../src/drivers/system/system-clock.ts';
import { SystemRandom } from '../../src/drivers/system/system-random.ts';
import { silentLogger } from '../../src/ports/logger.ts';
import { type StoreFixture, storeLaws } from '../conformance/store.ts';

const machine = { clock: new SystemClock(), random: new SystemRandom(), logger: silentLogger };

async function open(): Promise<StoreFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'backplane-sqlite-'));
  const path = join(folder, 'documents.sqlite');
  const opened: SqliteStore[] = [];
  const openOne = async () => {
    const store = await openSqliteStore(path, machine);
    opened.push(store);
    return store;
  };
  const store = await openOne();
  return {
    store,
    openAnother: openOne,
    async reopen() {
      await store.close();
      return openOne();
    },
    async pass(ms) {
      await wait(ms);
    },
    async close() {
      await Promise.all(opened.map((one) => one.close()));
      rmSync(folder, { recursive: true });
    },
  };
}

storeLaws('in SQLite', open);
