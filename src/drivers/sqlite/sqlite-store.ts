import { resolve } from 'node:path';
import { invariant } from '../../foundation/assert.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { InspectableStore } from '../../ports/engine.ts';
import type { DocumentPage } from '../../ports/inspector.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import type {
  Append,
  AppendAnswer,
  DocumentHead,
  Snapshot,
  StoredOp,
  StoreFenceAnswer,
} from '../../ports/store.ts';
import { copyOf, packOps, unpackOps } from './packed-ops.ts';
import { SqliteThread } from './sqlite-thread.ts';

export interface SqliteMachine {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface SqliteStoreOptions {
  /** How long a write waits for another program's lock before it fails with STORE_LOCKED. */
  readonly lockWaitMs?: number;
}

/** What a store works with; `openSqliteStore` provides it. */
export interface SqliteStoreParts {
  readonly writer: SqliteThread;
  readonly reader: SqliteThread;
  readonly identity: string;
}

/** Below the timeout of requests, so that a caller hears why. */
const lockWaitMsDefault = 5_000;

/**
 * Opens the file at `path`, and makes it with its folder when it is missing.
 *
 * Throws DATA_FOLDER_UNUSABLE, STORE_LOCKED, STORE_FULL, and STORE_CORRUPT for what is damaged,
 * newer or not ours: such a file is left as it was.
 */
export async function openSqliteStore(
  path: string,
  machine: SqliteMachine,
  options: SqliteStoreOptions = {},
): Promise<SqliteStore> {
  const opening = {
    path: resolve(path),
    freshIdentity: machine.random.token(16),
    lockWaitMs: options.lockWaitMs ?? lockWaitMsDefault,
  };
  const writer = new SqliteThread('sqlite-writer', machine);
  const reader = new SqliteThread('sqlite-reader', machine);
  try {
    const { identity, created } = await writer.call('openWriter', opening);
    await reader.call('openReader', opening);
    machine.logger.event('debug', 'store.opened', { path: opening.path, identity, created });
    return new SqliteStore({ writer, reader, identity });
  } catch (error) {
    await Promise.all([reader.end(), writer.end()]);
    throw error;
  }
}

/**
 * Op logs in one file on this machine, which any number of its processes may share. One thread
 * writes, many calls to a transaction, and answers once the disk has it; another reads, so that
 * no read waits for the disk.
 */
export class SqliteStore implements InspectableStore {
  readonly volatile = false;
  readonly announces = false;
  readonly #parts: SqliteStoreParts;
  #closing: Promise<void> | null = null;

  constructor(parts: SqliteStoreParts) {
    this.#parts = parts;
  }

  async identity(): Promise<string> {
    this.#requireOpen();
    return this.#parts.identity;
  }

  async fence(doc: string, session: string, expectedEpoch: number): Promise<StoreFenceAnswer> {
    return this.#writer.call('fence', { doc, session, expectedEpoch });
  }

  async append({ doc, epoch, session, after, ops }: Append): Promise<AppendAnswer> {
    invariant(ops.length > 0, 'an append has ops');
    const isConsecutive = ops.every((op, i) => op.seq === after.seq + 1 + i);
    invariant(isConsecutive, 'the ops of an append are consecutive');
    const packed = packOps(ops);
    const takes = { doc, epoch, session, after, ops: packed };
    return this.#writer.call('append', takes, packed.bytes);
  }

  async head(doc: string): Promise<DocumentHead | null> {
    return this.#reader.call('head', { doc });
  }

  async read(doc: string, afterSeq: number, limit: number): Promise<StoredOp[]> {
    const packed = await this.#reader.call('read', { doc, afterSeq, limit });
    // Each in memory of its own: one op that is kept must not keep all of them.
    return [...unpackOps(packed)].map((op) => ({ ...op, payload: copyOf(op.payload) }));
  }

  async readSnapshot(doc: string): Promise<Snapshot | null> {
    return this.#reader.call('readSnapshot', { doc });
  }

  async saveSnapshot(doc: string, epoch: number, snapshot: Snapshot): Promise<boolean> {
    const data = copyOf(snapshot.data);
    const { seq, chain } = snapshot;
    return this.#writer.call('saveSnapshot', { doc, epoch, snapshot: { seq, chain, data } }, data);
  }

  async checkWritable(): Promise<void> {
    await this.#writer.call('checkWritable', null);
  }

  async documents(from: string | null, limit: number): Promise<DocumentPage> {
    return this.#reader.call('documents', { from, limit });
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  /** The writer last: whoever closes the file last folds its log into it. */
  async #end(): Promise<void> {
    await this.#parts.reader.end();
    await this.#parts.writer.end();
  }

  get #writer(): SqliteThread {
    this.#requireOpen();
    return this.#parts.writer;
  }

  get #reader(): SqliteThread {
    this.#requireOpen();
    return this.#parts.reader;
  }

  #requireOpen(): void {
    if (this.#closing) throw new BackplaneError('CLOSED', 'the store was used after it was closed');
  }
}
