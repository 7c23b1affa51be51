import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { openSqliteTap } from '../../src/drivers/sqlite/sqlite-tap.ts';
import { type TapFixture, tapLaws } from '../conformance/tap.ts';
import { SqliteFolder, sqliteMachine } from '../support/sqlite-folder.ts';

async function open(): Promise<TapFixture> {
  const files = new SqliteFolder();
  const store = await files.open();
  const look = <Answer>(ask: (db: DatabaseSync) => Answer): Answer => {
    const db = new DatabaseSync(files.path, { timeout: 1_000 });
    try {
      return ask(db);
    } finally {
      db.close();
    }
  };
  return {
    store,
    openAnother: () => files.open(),
    openTap: (witness) => openSqliteTap(files.path, { ...sqliteMachine, witness }),
    async blind() {
      look((db) => {
        const ours = db.prepare(
          "SELECT type, name FROM sqlite_schema WHERE name LIKE 'drill\\_%' ESCAPE '\\'",
        );
        const drops = ours.all().map(({ type, name }) => `DROP ${type} IF EXISTS ${name};`);
        db.exec(`BEGIN IMMEDIATE; ${drops.join(' ')} COMMIT`);
      });
    },
    async contents() {
      return look((db) => {
        const schema = db.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY name').all();
        const tables = schema.filter(({ type }) => type === 'table').map(({ name }) => name);
        return [schema, ...tables.map((name) => db.prepare(`SELECT * FROM ${name}`).all())];
      });
    },
    pass: wait,
    close: () => files.remove(),
  };
}

const reason = 'a store knows of no directory';

tapLaws('SQLite', open, {
  except: [
    { law: '2. tells of every session once, in the order of the directory', reason },
    {
      law: '2. tells of every sign of life, and of which one whoever ended a session knew',
      reason,
    },
    { law: '2. tells of every lease that is confirmed or taken away, once', reason },
    { law: '3. tells what became of the sessions while nobody listened', reason },
  ],
});
