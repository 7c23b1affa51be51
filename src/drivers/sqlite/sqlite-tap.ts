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
 * Written by the transaction it tells of, so their order is the store's own. Several taps share
 * it, and what a drill that was killed left behind. The first row says which table it is, should
 * it be another one later; it is of no document.
 */
const installSql = `
  CREATE TABLE IF NOT EXISTS drill_tap (
    id INTEGER PRIMARY KEY,
    doc_id INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    session TEXT NOT NULL,
    after_seq INTEGER,
    seq INTEGER
  ) STRICT;
  CREATE TRIGGER IF NOT EXISTS drill_first_fence AFTER INSERT ON documents BEGIN
    INSERT INTO drill_tap (doc_id, epoch, session) VALUES (NEW.id, NEW.epoch, NEW.session);
  END;
  CREATE TRIGGER IF NOT EXISTS drill_fence AFTER UPDATE OF epoch, session ON documents BEGIN
    INSERT INTO drill_tap (doc_id, epoch, session) VALUES (NEW.id, NEW.epoch, NEW.session);
  END;
  CREATE TRIGGER IF NOT EXISTS drill_append AFTER UPDATE OF seq ON documents BEGIN
    INSERT INTO drill_tap (doc_id, epoch, session, after_seq, seq)
    VALUES (NEW.id, NEW.epoch, NEW.session, OLD.seq, NEW.seq);
  END;
`;

/** All in one transaction: with a trigger but without its table no write would succeed any more. */
const removeSql = `
  BEGIN IMMEDIATE;
  DROP TRIGGER IF EXISTS drill_first_fence;
  DROP TRIGGER IF EXISTS drill_fence;
  DROP TRIGGER IF EXISTS drill_append;
  DROP TABLE IF EXISTS drill_tap;
  COMMIT;
`;

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
  readonly first: StatementSync;
  readonly rows: StatementSync;
  readonly ops: StatementSync;
}

class SqliteTap implements Tap {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #parts: SqliteTapParts;
  readonly #polling: Timer;
  /** Null when they have to be made again. */
  #statements: Statements | null;
  /** The first row of the table that is read. */
  #table = '';
  #lastId = 0;
  /** Who fenced which epoch: document, epoch. */
  readonly #owners = new Map<number, Map<number, string>>();
  #isClosed = false;

  constructor(path: string, db: DatabaseSync, parts: SqliteTapParts) {
    this.#path = path;
    this.#db = db;
    this.#parts = parts;
    try {
      this.#statements = this.#install();
      // What others left behind is told by nobody.
      const last = db.prepare('SELECT max(id) AS id FROM drill_tap').get() ?? {};
      this.#lastId = new SqliteRow('the tap', last).count('id');
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
      this.#db.exec(removeSql);
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
    this.#statements ??= this.#install();
    if (!this.#isSameTable(this.#statements)) {
      this.#statements = null;
      this.#parts.witness({ kind: 'unseen', where: 'store' });
      return rowsAtOnce;
    }
    const { rows, ops } = this.#statements;
    const found = rows.all(this.#lastId, rowsAtOnce);
    for (const one of found) {
      const row = new SqliteRow('the tap', one);
      if (one.seq === null) this.#fenced(row);
      else this.#appended(row, ops);
      this.#lastId = row.count('id');
    }
    return found.length;
  }

  /** False when somebody took the table away, or made a new one. */
  #isSameTable({ first }: Statements): boolean {
    try {
      return first.get()?.session === this.#table;
    } catch (thrown) {
      if (thrown instanceof Error && /no such table/.test(thrown.message)) return false;
      throw thrown;
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

  /** From here on everything is seen. */
  #install(): Statements {
    const db = this.#db;
    try {
      db.exec('BEGIN IMMEDIATE');
      db.exec(installSql);
      const mark =
        'INSERT OR IGNORE INTO drill_tap (id, doc_id, epoch, session) VALUES (1, 0, 0, ?)';
      db.prepare(mark).run(this.#parts.random.token(16));
      db.exec('COMMIT');
    } catch (thrown) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw thrown;
    }
    const first = db.prepare('SELECT session FROM drill_tap WHERE id = 1');
    this.#table = new SqliteRow('the tap', first.get() ?? {}).text('session');
    this.#lastId = 1;
    const rows = db.prepare(
      `SELECT drill_tap.*, documents.doc FROM drill_tap
       JOIN documents ON documents.id = drill_tap.doc_id
       WHERE drill_tap.id > ? ORDER BY drill_tap.id LIMIT ?`,
    );
    const ops = db.prepare(
      `SELECT seq, epoch, peer, counter FROM ops
       WHERE doc_id = ? AND seq > ? AND seq <= ? ORDER BY seq`,
    );
    return { first, rows, ops };
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new BackplaneError('CLOSED', 'the tap was used after it was closed');
  }
}
