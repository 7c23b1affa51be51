import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  asBackplaneError,
  BackplaneError,
  type Certainty,
  type ErrorCode,
} from '../../foundation/errors.ts';
import type { SqliteFailure } from './sqlite-calls.ts';

/** SQLite's primary result codes: https://sqlite.org/rescode.html */
const primary = {
  perm: 3,
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  protocol: 15,
  constraint: 19,
  auth: 23,
  notADatabase: 26,
} as const;

/**
 * Whatever SQLite or the file system threw, as ours. `certainty` is what the caller knows: a
 * failed COMMIT may have happened, anything before it was rolled back.
 */
export function sqliteFailure(
  thrown: unknown,
  path: string,
  certainty: Certainty = 'definite',
): BackplaneError {
  if (thrown instanceof BackplaneError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const fail = (code: ErrorCode, what: string, certain = certainty) =>
    new BackplaneError(code, `${path} ${what}: ${error.message}`, {
      cause: error,
      certainty: certain,
    });
  const result = resultCode(error);
  if (result === null) return fileFailure(error, fail) ?? asBackplaneError(error);
  switch (result) {
    case primary.busy:
    case primary.locked:
    case primary.protocol:
      return fail('STORE_LOCKED', 'is locked', 'definite');
    case primary.full:
      return fail('STORE_FULL', 'has no room', 'definite');
    case primary.corrupt:
    case primary.notADatabase:
    case primary.constraint:
      return fail('STORE_CORRUPT', 'is damaged, or is no database', 'definite');
    case primary.perm:
    case primary.readOnly:
    case primary.auth:
      return fail('DATA_FOLDER_UNUSABLE', 'cannot be written', 'definite');
    case primary.cantOpen:
      if (isDiskFull(path)) return fail('STORE_FULL', 'has no room', 'definite');
      return fail('DATA_FOLDER_UNUSABLE', 'cannot be opened', 'definite');
    case primary.ioError:
      // A full disk is not always reported as one: memory shared with -shm fails as I/O.
      if (isDiskFull(path)) return fail('STORE_FULL', 'has no room');
      return fail('STORE_UNAVAILABLE', 'could not be read or written');
    default:
      return fail('STORE_UNAVAILABLE', 'failed');
  }
}

export function isLocked(thrown: unknown): boolean {
  return thrown instanceof Error && resultCode(thrown) === primary.busy;
}

/** SQLite found damage, or we did. */
export function isDamage(thrown: unknown): boolean {
  if (thrown instanceof BackplaneError) return thrown.code === 'STORE_CORRUPT';
  return thrown instanceof Error && resultCode(thrown) === primary.corrupt;
}

export function corrupt(path: string, what: string): BackplaneError {
  return new BackplaneError('STORE_CORRUPT', `${path} ${what}`);
}

/** For the way between threads, where classes do not survive. */
export function asFailure(error: BackplaneError): SqliteFailure {
  const { code, message, certainty, remedy, facts } = error;
  return { code, message, certainty, remedy, facts };
}

export function asError({ code, message, ...details }: SqliteFailure): BackplaneError {
  return new BackplaneError(code, message, details);
}

function resultCode(error: Error): number | null {
  if (!('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}

function fileFailure(
  error: Error,
  fail: (code: ErrorCode, what: string, certainty: Certainty) => BackplaneError,
): BackplaneError | null {
  const code = 'code' in error ? error.code : null;
  if (code === 'ENOSPC' || code === 'EDQUOT') return fail('STORE_FULL', 'has no room', 'definite');
  if (typeof code !== 'string' || !('syscall' in error)) return null;
  return fail('DATA_FOLDER_UNUSABLE', 'cannot be used', 'definite');
}

function isDiskFull(path: string): boolean {
  try {
    return statfsSync(dirname(path)).bavail === 0;
  } catch {
    // What cannot even be asked is not known to be full.
    return false;
  }
}
