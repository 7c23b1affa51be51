import { type BigIntStats, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { BackplaneError, type Certainty } from '../../foundation/errors.ts';
import type { SqliteAnswer, WriteRequest } from './sqlite-calls.ts';
import { asFailure, isLocked, sqliteFailure } from './sqlite-errors.ts';
import { SqliteWrites } from './sqlite-writes.ts';

/**
 * SQLite asks for a lock after 1, 2 and 5 ms and gives up. Asking anew, and not once with all the
 * patience there is, keeps it from sleeping 100 ms while a busy neighbour lets go and takes again.
 */
const lockAttemptMs = 8;

/**
 * One transaction for all writes that wait, whatever their documents: one fsync for many. A write
 * that fails leaves its neighbours alone; nothing is answered before the commit.
 */
export class GroupCommit {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #opened: BigIntStats | null;
  readonly #lockAttemptsMax: number;
  readonly #writes: SqliteWrites;

  constructor(db: DatabaseSync, path: string, lockWaitMs: number) {
    this.#db = db;
    this.#path = path;
    this.#opened = fileAt(path);
    this.#lockAttemptsMax = Math.max(1, Math.ceil(lockWaitMs / lockAttemptMs));
    this.#writes = new SqliteWrites(db);
    db.exec(`PRAGMA busy_timeout = ${lockAttemptMs}`);
  }

  /** `takeGroup` is called once the lock is there: what came in the meantime comes along. */
  commit(takeGroup: () => readonly WriteRequest[]): SqliteAnswer[] {
    try {
      this.#begin();
      this.#checkFile();
    } catch (thrown) {
      this.#rollBack();
      return this.#failAll(takeGroup(), thrown);
    }
    const group = takeGroup();
    const answers: SqliteAnswer[] = [];
    try {
      for (const request of group) answers.push({ id: request.id, gives: this.#apply(request) });
    } catch (thrown) {
      this.#rollBack();
      return this.#commitAround(group, answers.length, thrown);
    }
    return this.#finish(group, answers);
  }

  #begin(): void {
    for (let attempt = 1; ; attempt++) {
      try {
        return this.#db.exec('BEGIN IMMEDIATE');
      } catch (thrown) {
        if (!isLocked(thrown) || attempt >= this.#lockAttemptsMax) throw thrown;
      }
    }
  }

  /**
   * A savepoint would not do: a full disk ends the whole transaction. What came before the failed
   * write is done again, what comes after it for the first time: twice at most, however many fail.
   */
  #commitAround(group: readonly WriteRequest[], failed: number, thrown: unknown): SqliteAnswer[] {
    const [before, after] = [group.slice(0, failed), group.slice(failed + 1)];
    return [
      ...(before.length > 0 ? this.commit(() => before) : []),
      ...this.#failAll(group.slice(failed, failed + 1), thrown),
      ...(after.length > 0 ? this.commit(() => after) : []),
    ];
  }

  #apply(request: WriteRequest): unknown {
    switch (request.kind) {
      case 'fence':
        return this.#writes.fence(request.takes);
      case 'append':
        return this.#writes.append(request.takes);
      case 'saveSnapshot':
        return this.#writes.saveSnapshot(request.takes);
      case 'checkWritable':
        return this.#writes.checkWritable();
    }
  }

  #finish(group: readonly WriteRequest[], answers: SqliteAnswer[]): SqliteAnswer[] {
    try {
      this.#db.exec('COMMIT');
      return answers;
    } catch (thrown) {
      this.#rollBack();
      // When the sync fails, the log may hold the transaction and be replayed one day.
      return this.#failAll(group, thrown, 'indefinite');
    }
  }

  #failAll(
    group: readonly WriteRequest[],
    thrown: unknown,
    certainty: Certainty = 'definite',
  ): SqliteAnswer[] {
    const failure = asFailure(sqliteFailure(thrown, this.#path, certainty));
    return group.map(({ id }) => ({ id, failure }));
  }

  #rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
  }

  /** A file that was removed or replaced can still be written, and nobody would ever read it. */
  #checkFile(): void {
    const now = fileAt(this.#path);
    if (now && now.ino === this.#opened?.ino && now.dev === this.#opened.dev) return;
    throw new BackplaneError(
      'STORE_UNAVAILABLE',
      `${this.#path} was removed or replaced while it was open`,
      { certainty: 'definite', remedy: 'put it back, then restart the node' },
    );
  }
}

function fileAt(path: string): BigIntStats | null {
  return statSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
}
