import { pathToFileURL } from 'node:url';
import { BackplaneError } from '../../../foundation/errors.ts';
import { type Clock, sleep } from '../../../ports/clock.ts';

/** Short, because SQLite waits without letting anything else run. */
const lockWaitMs = 5;
const lockTimeoutMs = 10_000;
const pauseMs = 2;

export interface HeldWriteLock {
  /** What SQLite says to a write of ours beside the lock; null when that is not refused. */
  refusal(): string | null;
  /** Twice is once. */
  release(): void;
}

/** Keeps every other writer of a SQLite file away, until released or until this process ends. */
export async function holdWriteLock(path: string, clock: Clock): Promise<HeldWriteLock> {
  const { DatabaseSync } = await import('node:sqlite');
  const url = pathToFileURL(path);
  // A file that is not there is not to be made, empty, under the nodes that look for it.
  url.searchParams.set('mode', 'rw');
  const open = () => new DatabaseSync(url, { timeout: lockWaitMs });
  const attempt = (db: InstanceType<typeof DatabaseSync>): string | null => {
    try {
      db.exec('BEGIN IMMEDIATE');
      return null;
    } catch (thrown) {
      return thrown instanceof Error ? thrown.message : String(thrown);
    }
  };
  const holder = open();
  const startedMs = clock.monotonicMs();
  for (;;) {
    const why = attempt(holder);
    if (why === null) break;
    if (clock.monotonicMs() - startedMs > lockTimeoutMs) {
      holder.close();
      throw new BackplaneError('INCONCLUSIVE', `the lock of ${path} was not to be had: ${why}`);
    }
    await sleep(clock, pauseMs);
  }
  return {
    refusal() {
      const writer = open();
      try {
        return attempt(writer);
      } finally {
        writer.close();
      }
    },
    release() {
      if (!holder.isOpen) return;
      holder.exec('ROLLBACK');
      holder.close();
    },
  };
}
