import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  openSqliteStore,
  type SqliteStore,
  type SqliteStoreOptions,
} from '../../src/drivers/sqlite/sqlite-store.ts';
import { SystemClock } from '../../src/drivers/system/system-clock.ts';
import { SystemRandom } from '../../src/drivers/system/system-random.ts';
import { silentLogger } from '../../src/ports/logger.ts';

export const sqliteMachine = {
  clock: new SystemClock(),
  random: new SystemRandom(),
  logger: silentLogger,
};

/** A folder of its own for a test's files; `remove` closes what was opened in it. */
export class SqliteFolder {
  readonly folder = mkdtempSync(join(tmpdir(), 'backplane-sqlite-'));
  readonly path = join(this.folder, 'documents.sqlite');
  readonly #opened: SqliteStore[] = [];
  #disk: string | null = null;

  async open(options: SqliteStoreOptions = {}, path = this.path): Promise<SqliteStore> {
    const store = await openSqliteStore(path, sqliteMachine, options);
    this.#opened.push(store);
    return store;
  }

  /** What is in the folder, byte for byte. */
  contents(): Record<string, string> {
    const names = readdirSync(this.folder).sort();
    return Object.fromEntries(names.map((name) => [name, hashOf(join(this.folder, name))]));
  }

  /** A disk of its own with that many bytes; only root may have one. */
  mount(bytes: number): string {
    const disk = mkdtempSync(join(this.folder, 'disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', disk]);
    this.#disk = disk;
    return disk;
  }

  remountReadOnly(): void {
    if (this.#disk) execFileSync('mount', ['-o', 'remount,ro', this.#disk]);
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((store) => store.close()));
  }

  async remove(): Promise<void> {
    await this.closeAll();
    if (this.#disk) execFileSync('umount', [this.#disk]);
    rmSync(this.folder, { recursive: true });
  }
}

/** Whether this process may mount a disk of its own. */
export const mayMount = process.platform === 'linux' && canMount();

function canMount(): boolean {
  const disk = mkdtempSync(join(tmpdir(), 'backplane-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk], { stdio: 'ignore' });
    execFileSync('umount', [disk]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(disk, { recursive: true });
  }
}

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/**
 * How many transactions a write-ahead log holds: frames that say how large the file is after them
 * end one (https://sqlite.org/fileformat2.html#walformat).
 */
export function commitsIn(path: string): number {
  const log = readFileSync(`${path}-wal`);
  const frameBytes = 24 + log.readUInt32BE(8);
  const salt = log.toString('hex', 16, 24);
  let commits = 0;
  for (let at = 32; at + frameBytes <= log.length; at += frameBytes) {
    if (log.toString('hex', at + 8, at + 16) !== salt) break;
    if (log.readUInt32BE(at + 4) > 0) commits += 1;
  }
  return commits;
}
