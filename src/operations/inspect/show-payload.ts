import { isUtf8 } from 'node:buffer';
import { parsePlainJson } from '../../foundation/plain-json.ts';

/** How a payload is written in a report: `json` as the value itself, else as text or base64. */
export interface ShownPayload {
  readonly payload: unknown;
  readonly encoding: 'json' | 'text' | 'base64' | null;
}

/** Opaque bytes as a report can hold them; null stays null. */
export function showPayload(bytes: Uint8Array | null): ShownPayload {
  if (bytes === null) return { payload: null, encoding: null };
  if (!isUtf8(bytes)) return { payload: Buffer.from(bytes).toString('base64'), encoding: 'base64' };
  const text = Buffer.from(bytes).toString('utf8');
  try {
    // Not JSON.parse: a value nested a million deep would overflow whoever prints it.
    return { payload: parsePlainJson(text), encoding: 'json' };
  } catch {
    return { payload: text, encoding: 'text' };
  }
}
