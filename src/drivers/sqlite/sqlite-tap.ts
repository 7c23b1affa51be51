import { resolve } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BackplaneError } from '../../foundation/errors.ts';
import { opIdOf } from '../../foundation/identifiers.ts';
import { repeat, sleep, type Timer } from '../../ports/clock.ts';
import type { Tap, Witness } from '../../ports/tap.ts';
import { sqliteFailure } from './sqlite-errors.ts';
import { openSqliteFile } from './sqlite-file.ts';
import { SqliteRow } from './sqlite-row.ts';
import type { SqliteMachine } from './sqlite-store.ts';

export interface SqliteTapParts extends SqliteMachine {
  readonly witness: Witness;
}

/**
 * Long enough for a node's group commit; the event loop stands still meanwhile. Only opening and
 * closing write: reading never waits for a writer.
 */
const lockWaitMs = 2_000;
const pollMs = 20;
/** About a millisecond of the event loop. */
const rowsAtOnce = 256;
const flushTimeoutMs = 10_000;

/**
 * Written by the transaction it tells of, so their order is the store's own. Each tap has a table
 * of its own: several do not disturb each other.
 */
function installSql(name: string): string {
  const fenced = `INSERT INTO ${name} (doc_id, epoch, session)
    VALUES (NEW.id, NEW.epoch, NEW.session);`;
  return `
    BEGIN IMMEDIATE;
    CREATE TABLE ${name} (
      id INTEGER PRIMARY KEY,
      doc_id INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      session TEXT NOT NULL,
      after_seq INTEGER,
      seq INTEGER
    ) STRICT;
    CREATE TRIGGER ${name}_first_fence AFTER INSERT ON documents BEGIN ${fenced} END;
    CREATE TRIGGER ${name}_fence AFTER UPDATE OF epoch, session ON documents BEGIN ${fenced} END;
    CREATE TRIGGER ${name}_append AFTER UPDATE OF seq ON documents BEGIN
      INSERT INTO ${name} (doc_id, epoch, session, after_seq, seq)
      VALUES (NEW.id, NEW.epoch, NEW.session, OLD.seq, NEW.seq);
    END;
    COMMIT;
  `;
}

/** All in one transaction: with a trigger but without its table no write would succeed any more. */
function removeSql(name: string): string {
  return `
    BEGIN IMMEDIATE;
    DROP TRIGGER IF EXISTS ${name}_first_fence;
    DROP TRIGGER IF EXISTS ${name}_fence;
    DROP TRIGGER IF EXISTS ${name}_append;
    DROP TABLE IF EXISTS ${name};
    COMMIT;
  `;
}

/**
 * Listens to a store with triggers in its file, which are gone when it is closed. Makes the file
 * when it is missing, as a store would.
 */
export async function openSqliteTap(path: string, parts: SqliteTapParts): Promise<Tap> {
  const opening = { path: resolve(path), freshIdentity: parts.random.token(16), lockWaitMs };
  try {
    const { db } = openSqliteFile(opening);
    return new SqliteTap(opening.path, db, parts);
  } catch (thrown) {
    throw sqliteFailure(thrown, opening.path);
  }
}

interface Statements {
  readonly rows: StatementSync;
  readonly ops: StatementSync;
}

class SqliteTap implements Tap {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #parts: SqliteTapParts;
  readonly #polling: Timer;
  readonly #table: string;
  #statements: Statements | null;
  #lastId = 0;
  /** Who fenced which epoch: document, epoch. */
  readonly #owners = new Map<number, Map<number, string>>();
  #isClosed = false;

  constructor(path: string, db: DatabaseSync, parts: SqliteTapParts) {
    this.#path = path;
    this.#db = db;
    this.#parts = parts;
    this.#table = `drill_${parts.random.token(8).replace(/\W/g, '_')}`;
    try {
      this.#statements = this.#install();
    } catch (thrown) {
      db.close();
      throw thrown;
    }
    this.#polling = repeat(
      parts.clock,
      () => pollMs,
      () => this.#poll(),
    );
  }

  async flush(): Promise<void> {
    const { clock } = this.#parts;
    const untilMs = clock.monotonicMs() + flushTimeoutMs;
    for (;;) {
      this.#requireOpen();
      try {
        if (this.#readSome() < rowsAtOnce) return;
      } catch (thrown) {
        if (clock.monotonicMs() >= untilMs) throw sqliteFailure(thrown, this.#path);
        await sleep(clock, pollMs);
      }
      // Between two batches whoever else waits for the event loop has it.
      await sleep(clock, 0);
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#polling.cancel();
    try {
      this.#db.exec(removeSql(this.#table));
    } catch (thrown) {
      // The file may be broken on purpose; what is left in it harms no store.
      const { code, message } = sqliteFailure(thrown, this.#path);
      this.#parts.logger.event('warn', 'tap.not-removed', { path: this.#path, code, message });
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    } finally {
      this.#db.close();
    }
  }

  async #poll(): Promise<void> {
    try {
      // A backlog is read by the next polls: it waits in the file, and nothing is lost.
      if (!this.#isClosed) this.#readSome();
    } catch (thrown) {
      const { code, message } = sqliteFailure(thrown, this.#path);
      this.#parts.logger.event('debug', 'tap.unreadable', { path: this.#path, code, message });
    }
  }

  /** Tells what was written since the last time, and answers how many rows that were. */
  #readSome(): number {
    const { rows, ops } = this.#statementsOrNew();
    const found = this.#readRows(rows);
    for (const one of found) {
      const row = new SqliteRow('the tap', one);
      if (one.seq === null) this.#fenced(row);
      else this.#appended(row, ops);
      this.#lastId = row.count('id');
    }
    return found.length;
  }

  /** Somebody took the table away, or put another file in the place of this one. */
  #readRows(rows: StatementSync): Record<string, unknown>[] {
    try {
      return rows.all(this.#lastId, rowsAtOnce);
    } catch (thrown) {
      if (!isMissing(this.#table, thrown)) throw thrown;
      this.#statements = null;
      this.#parts.witness({ kind: 'unseen', where: 'store' });
      return this.#statementsOrNew().rows.all(this.#lastId, rowsAtOnce);
    }
  }

  #fenced(row: SqliteRow): void {
    const [docId, epoch, session] = [row.count('doc_id'), row.count('epoch'), row.text('session')];
    const owners = this.#owners.get(docId) ?? new Map<number, string>();
    this.#owners.set(docId, owners.set(epoch, session));
    this.#parts.witness({ kind: 'store.fence', doc: row.text('doc'), session, epoch });
  }

  /** Told with the epoch that the ops have, not the one they should have. */
  #appended(row: SqliteRow, statement: StatementSync): void {
    const docId = row.count('doc_id');
    const [after, last] = [row.count('after_seq'), row.count('seq')];
    const ops = statement.all(docId, after, last).map((op) => new SqliteRow('an op', op));
    const [first] = ops;
    if (first === undefined) return;
    const epoch = first.count('epoch');
    const session = this.#owners.get(docId)?.get(epoch) ?? row.text('session');
    this.#parts.witness({
      ...{ kind: 'store.append', doc: row.text('doc'), session, epoch, seq: first.count('seq') },
      opIds: ops.map((op) => opIdOf(op.text('peer'), op.count('counter'))),
    });
  }

  #statementsOrNew(): Statements {
    this.#statements ??= this.#install();
    return this.#statements;
  }

  #install(): Statements {
    const name = this.#table;
    try {
      this.#db.exec(removeSql(name));
      this.#db.exec(installSql(name));
    } catch (thrown) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw thrown;
    }
    this.#lastId = 0;
    return {
      rows: this.#db.prepare(
        `SELECT ${name}.*, documents.doc FROM ${name}
         JOIN documents ON documents.id = ${name}.doc_id
         WHERE ${name}.id > ? ORDER BY ${name}.id LIMIT ?`,
      ),
      ops: this.#db.prepare(
        `SELECT seq, epoch, peer, counter FROM ops
         WHERE doc_id = ? AND seq > ? AND seq <= ? ORDER BY seq`,
      ),
    };
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new BackplaneError('CLOSED', 'the tap was used after it was closed');
  }
}

function isMissing(table: string, thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message.includes(`no such table: ${table}`);
}
