import { readFileSync, writeFileSync } from 'node:fs';
import { BackplaneError } from '../foundation/errors.ts';
import { parsePlainJson } from '../foundation/plain-json.ts';
import type { RemovedLease } from '../operations/act/mend-leases.ts';

/** Keeps what is about to be removed. Never writes over another file. Throws CONFIG_INVALID. */
export function writeUndo(file: string, removed: readonly RemovedLease[]): void {
  const text = JSON.stringify({ kind: 'backplane-undo', schemaVersion: 1, removed }, null, 1);
  try {
    writeFileSync(file, `${text}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    throw unusable(file, `cannot be written: ${reason(cause)}`, cause);
  }
}

/** What `writeUndo` kept. Throws CONFIG_INVALID. */
export function readUndo(file: string): RemovedLease[] {
  let found: unknown;
  try {
    found = parsePlainJson(readFileSync(file, 'utf8'), 'the file');
  } catch (cause) {
    throw unusable(file, `cannot be read: ${reason(cause)}`, cause);
  }
  const { kind, removed } = (found ?? {}) as { kind?: unknown; removed?: unknown };
  if (kind !== 'backplane-undo' || !Array.isArray(removed) || !removed.every(isRecord)) {
    throw unusable(file, 'was not written by fsck');
  }
  return removed;
}

function isRecord(value: unknown): value is RemovedLease {
  const { doc, session, epoch, state } = (value ?? {}) as Partial<RemovedLease>;
  const isEpoch = Number.isSafeInteger(epoch) && (epoch ?? -1) >= 0;
  const isState = state === 'held' || state === 'claimed' || state === 'handed';
  return typeof doc === 'string' && typeof session === 'string' && isEpoch && isState;
}

function reason(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? 'it is not JSON';
}

function unusable(file: string, why: string, cause?: unknown): BackplaneError {
  return new BackplaneError('CONFIG_INVALID', `the undo file "${file}" ${why}`, {
    cause,
    remedy: 'name another with --undo-file',
  });
}
