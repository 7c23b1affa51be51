import { createHash } from 'node:crypto';
import { BackplaneError } from './errors.ts';
import { cacheLimits, limits } from './limits.ts';
import { relayLimits } from './relay-protocol.ts';

const controlCharacters = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** A document's name as the application gives it; throws NAME_INVALID. */
export function checkDocumentName(name: unknown): string {
  return checkName('document name', name, limits.documentNameBytesMax);
}

/** A workspace's name as the application gives it; throws NAME_INVALID. */
export function checkWorkspaceName(name: unknown): string {
  return checkName('workspace name', name, relayLimits.workspaceBytesMax);
}

/** An operator-chosen node id: one word that is safe in every file, key and log line. */
export function checkNodeId(name: unknown): string {
  const checked = checkName('node id', name, limits.nodeIdBytesMax);
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(checked)) return checked;
  throw new BackplaneError(
    'NAME_INVALID',
    `the node id ${JSON.stringify(checked)} is not one word`,
    {
      remedy: 'use letters, digits, dot, dash and underscore',
    },
  );
}

/** The region of a cache: one word, as it stands in commands. Throws NAME_INVALID. */
export function checkCacheRegion(name: unknown): string {
  const checked = checkName('cache region', name, cacheLimits.regionBytesMax);
  if (/^[A-Za-z0-9][A-Za-z0-9._:-]*$/.test(checked)) return checked;
  throw new BackplaneError(
    'NAME_INVALID',
    `the cache region ${JSON.stringify(checked)} is not one word`,
    { remedy: 'use letters, digits, dot, colon, dash and underscore' },
  );
}

/** The key of a cached value, or what keys begin with. Throws NAME_INVALID. */
export function checkCacheKey(key: unknown): string {
  return checkName('cache key', key, cacheLimits.keyBytesMax);
}

/** Printable text of 1 to so many bytes; throws NAME_INVALID. */
export function checkName(what: string, name: unknown, bytesMax: number): string {
  if (typeof name !== 'string' || name.length === 0) {
    throw new BackplaneError('NAME_INVALID', `the ${what} is empty`);
  }
  const bytes = Buffer.byteLength(name);
  if (bytes > bytesMax) {
    throw new BackplaneError(
      'NAME_INVALID',
      `the ${what} has ${bytes} bytes; at most ${bytesMax} are allowed`,
    );
  }
  if (controlCharacters.test(name) || !name.isWellFormed()) {
    throw new BackplaneError('NAME_INVALID', `the ${what} holds control characters`);
  }
  return name;
}

const encodedBytesMax = 128;

/**
 * A user's name as part of a key, channel or file name. Percent-encodes everything outside
 * `[A-Za-z0-9_.~-]`, so no name carries braces, globs, separators or control bytes; a long one
 * becomes `~` and its hash.
 */
export function encodeName(name: string): string {
  const encoded = Buffer.from(name)
    .toString('latin1')
    .replace(/[^A-Za-z0-9_.~-]/g, (byte) => {
      return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
    });
  // A short name that itself starts with ~ must not be mistaken for a hash.
  if (encoded.length <= encodedBytesMax && !encoded.startsWith('~')) return encoded;
  return `~${createHash('sha256').update(name).digest('hex')}`;
}

/** The name that was encoded; null when only its hash is left, or nothing of ours. */
export function decodeName(encoded: string): string | null {
  if (!/^(?!~)[A-Za-z0-9_.~%-]+$/.test(encoded)) return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}

/** An op's identity: the peer's session and its counter, contiguous from 1 within a document. */
export function opIdOf(peer: string, counter: number): string {
  return `${peer}:${counter}`;
}

export function parseOpId(opId: string): { peer: string; counter: number } {
  const colon = opId.lastIndexOf(':');
  const counter = Number(opId.slice(colon + 1));
  if (colon <= 0 || !Number.isSafeInteger(counter) || counter < 1) {
    throw new BackplaneError('REQUEST_INVALID', `"${opId}" is not an op id (PEER:COUNTER)`);
  }
  return { peer: checkPeer(opId.slice(0, colon)), counter };
}

/** A peer session's id: random, drawn by the client, never reused. */
export function checkPeer(peer: unknown): string {
  if (typeof peer === 'string' && /^[A-Za-z0-9_.~-]{1,64}$/.test(peer)) return peer;
  throw new BackplaneError('REQUEST_INVALID', 'a peer id is 1 to 64 letters, digits or _ . ~ -');
}

/** Braces would move keys between slots of a cluster, globs would match other keys. */
export function checkPrefix(prefix: string): string {
  if (/^[A-Za-z0-9_.:~-]{1,64}$/.test(prefix)) return prefix;
  throw new BackplaneError('CONFIG_INVALID', `${JSON.stringify(prefix)} is not a key prefix`, {
    remedy: 'use 1 to 64 letters, digits or _ . : ~ -, as in --prefix myapp:',
  });
}
