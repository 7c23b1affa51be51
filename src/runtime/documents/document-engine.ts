import { BackplaneError } from '../../foundation/errors.ts';
import { parsePlainJson } from '../../foundation/plain-json.ts';

/**
 * What an op does to the state of a document. Everything else in the runtime ignores payloads.
 * The state is kept as text, so that an engine can be added without touching snapshots.
 */
export interface DocumentEngine {
  readonly name: 'json' | 'log';
  /** Refuses a payload that could not be applied; throws PAYLOAD_INVALID. */
  check(payload: Uint8Array): void;
  /** The state after these payloads, in order; null where there is no state. */
  fold(state: string | null, payloads: readonly Uint8Array[]): string | null;
}

/** Opaque payloads: the log is all there is. */
export const logEngine: DocumentEngine = {
  name: 'log',
  check() {},
  fold: () => null,
};

/** JSON merge patch, RFC 7396: an object changes keys, null removes one, anything else replaces. */
export const jsonEngine: DocumentEngine = {
  name: 'json',
  check(payload) {
    try {
      parsePlainJson(Buffer.from(payload).toString('utf8'), 'the payload');
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : 'the payload is not valid JSON';
      throw new BackplaneError('PAYLOAD_INVALID', why, { cause });
    }
  },
  fold(state, payloads) {
    let value: unknown = state === null ? null : JSON.parse(state);
    for (const payload of payloads) {
      value = mergePatch(value, JSON.parse(Buffer.from(payload).toString('utf8')));
    }
    return JSON.stringify(value);
  },
};

export function documentEngineNamed(name: string): DocumentEngine {
  if (name === 'json') return jsonEngine;
  if (name === 'log') return logEngine;
  throw new BackplaneError('CONFIG_INVALID', `there is no document engine "${name}"`, {
    remedy: 'use json or log',
  });
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const isObject = target !== null && typeof target === 'object' && !Array.isArray(target);
  const merged = new Map(isObject ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}
