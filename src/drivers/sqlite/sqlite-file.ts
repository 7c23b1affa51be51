import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { BackplaneError } from '../../foundation/errors.ts';
import type { SqliteOpening } from './sqlite-calls.ts';
import { corrupt, isDamage } from './sqlite-errors.ts';
import { applicationId, schemaSql, schemaVersion, tables } from './sqlite-schema.ts';

export interface SqliteFile {
  readonly db: DatabaseSync;
  readonly identity: string;
  readonly created: boolean;
}

/** Damage is looked for before opening in files up to this size: longer takes too long. */
const fullCheckBytesMax = 67_108_864;
/** A log that grew in a storm is cut back to this. */
const walBytesKept = 67_108_864;

/**
 * Opens the file, or makes it with its folder. Any number of processes may do so at once.
 *
 * A file that is not ours, newer than this program, or damaged is refused before SQLite may
 * write to it: opening it the usual way would already replay its log and leave files beside it.
 */
export function openSqliteFile(opening: SqliteOpening): SqliteFile {
  const { path } = opening;
  const created = createIfMissing(path, opening.freshIdentity);
  refuseForeign(path);
  const db = connect(path, opening.lockWaitMs);
  try {
    const identity = checkOurs(db, path);
    if (pragmaValue(db, 'PRAGMA journal_mode = WAL') !== 'wal') {
      throw new BackplaneError(
        'DATA_FOLDER_UNUSABLE',
        `${path} is on a file system where several processes cannot share it (no WAL)`,
      );
    }
    // Nothing is written, but a file that cannot be is noticed here and not at the first op.
    db.exec('BEGIN IMMEDIATE; ROLLBACK');
    return { db, identity, created };
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/** A second connection that only ever reads; the file must have been opened before. */
export function openSqliteReader({ path, lockWaitMs }: SqliteOpening): DatabaseSync {
  const db = connect(path, lockWaitMs);
  db.exec('PRAGMA query_only = ON');
  return db;
}

function connect(path: string, lockWaitMs: number): DatabaseSync {
  // mode=rw: a file removed in between must not come back empty.
  const db = new DatabaseSync(uri(path, 'mode', 'rw'), { timeout: lockWaitMs, defensive: true });
  try {
    // fullfsync: without it fsync on macOS does not reach the disk.
    db.exec(`
      PRAGMA synchronous = FULL;
      PRAGMA fullfsync = ON;
      PRAGMA checkpoint_fullfsync = ON;
      PRAGMA journal_size_limit = ${walBytesKept};
    `);
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/**
 * Reads without locks, without the write-ahead log and without leaving a trace. Never open the
 * file by other means: closing any descriptor of it drops the locks of the whole process.
 */
function refuseForeign(path: string): void {
  const db = new DatabaseSync(uri(path, 'immutable', '1'), { readOnly: true });
  try {
    const header = unlessAtWork(path, () => readHeader(db));
    if (header) refuseHeader(path, header);
    unlessAtWork(path, () => checkWhole(db, path));
  } finally {
    db.close();
  }
}

/** While a process is at work, or after it died at it, only file and log together are whole. */
function unlessAtWork<T>(path: string, check: () => T): T | null {
  try {
    return check();
  } catch (thrown) {
    if (isDamage(thrown) && sizeOf(`${path}-wal`) > 0) return null;
    throw thrown;
  }
}

function checkWhole(db: DatabaseSync, path: string): void {
  checkOurs(db, path);
  if (sizeOf(path) > fullCheckBytesMax) return;
  const verdict = pragmaValue(db, 'PRAGMA quick_check(1)');
  if (verdict !== 'ok') throw corrupt(path, `is damaged: ${String(verdict).slice(0, 200)}`);
}

interface Header {
  readonly application: unknown;
  readonly version: unknown;
}

function readHeader(db: DatabaseSync): Header {
  return {
    application: pragmaValue(db, 'PRAGMA application_id'),
    version: pragmaValue(db, 'PRAGMA user_version'),
  };
}

function refuseHeader(path: string, { application, version }: Header): void {
  if (application !== applicationId) throw corrupt(path, 'was not made by backplane');
  if (version === schemaVersion) return;
  const made = `was made with schema ${version}; this backplane knows ${schemaVersion}`;
  throw new BackplaneError('STORE_CORRUPT', `${path} ${made}`, {
    remedy: 'run the version of backplane that made it, or name another store with --store',
    facts: { version },
  });
}

/** Answers the identity. */
function checkOurs(db: DatabaseSync, path: string): string {
  refuseHeader(path, readHeader(db));
  const found = db.prepare('SELECT name FROM sqlite_schema').all();
  const names = new Set(found.map((row) => row.name));
  const missing = tables.filter((table) => !names.has(table));
  if (missing.length > 0) throw corrupt(path, `lacks the tables ${missing.join(', ')}`);
  const identity = db.prepare("SELECT value FROM meta WHERE key = 'identity'").get()?.value;
  if (typeof identity !== 'string') throw corrupt(path, 'has lost its identity');
  return identity;
}

/**
 * The file is made whole under another name and then linked to its own, so that nobody ever sees
 * half of it, and of several processes that make it at once one wins.
 */
function createIfMissing(path: string, identity: string): boolean {
  // In this order: a log that is there before its file is missing outlived it.
  const hasLeavings = sizeOf(`${path}-wal`) > 0 || sizeOf(`${path}-journal`) > 0;
  const stats = statOf(path);
  if (stats && !stats.isFile()) {
    throw new BackplaneError('DATA_FOLDER_UNUSABLE', `${path} is not a file`);
  }
  if (stats && stats.size === 0) throw corrupt(path, 'is empty');
  if (stats) return false;
  if (hasLeavings) throw corrupt(path, 'is gone, but its write-ahead log is still there');
  const folder = createFolder(dirname(path));
  const draft = `${path}.${identity}.new`;
  try {
    closeSync(openSync(draft, 'wx', 0o600));
    writeNew(draft, identity);
    return linkIfFree(draft, path);
  } finally {
    rmSync(draft, { force: true });
    syncFolder(folder);
  }
}

function writeNew(draft: string, identity: string): void {
  const db = new DatabaseSync(draft);
  try {
    db.exec(schemaSql);
    db.prepare("INSERT INTO meta (key, value) VALUES ('identity', ?)").run(identity);
    db.exec('COMMIT; PRAGMA journal_mode = WAL');
  } finally {
    db.close();
  }
}

function linkIfFree(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function createFolder(folder: string): string {
  const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return folder;
  // A folder is only safe once the one above it is on disk.
  for (let above = folder; above.length >= first.length; ) {
    above = dirname(above);
    syncFolder(above);
  }
  return folder;
}

function syncFolder(folder: string): void {
  // Windows has no such thing and refuses.
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function statOf(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}

function sizeOf(path: string): number {
  return statOf(path)?.size ?? 0;
}

function pragmaValue(db: DatabaseSync, sql: string): unknown {
  return Object.values(db.prepare(sql).get() ?? {})[0];
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null;
}

function uri(path: string, key: string, value: string): URL {
  const url = pathToFileURL(path);
  url.searchParams.set(key, value);
  return url;
}
