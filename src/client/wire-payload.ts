import { BackplaneError } from '../foundation/errors.ts';
import { peerLimits } from '../foundation/peer-protocol.ts';
import { parsePlainJson } from '../foundation/plain-json.ts';

/** A payload as it stands in a message, and what it weighs there. */
export interface WireText {
  readonly text: string;
  readonly bytes: number;
}

/** Room around a payload: the longest document name, escaped, and the other fields. */
const headerBytesMax = 8_192;
/** Longer argument lists overflow the stack of some engines. */
const bytesPerCall = 8_192;

/**
 * A value as `"payload":…`, or bytes as `"payloadBase64":"…"`. What a node would refuse by closing
 * the connection is refused here, before it harms anything else. Throws PAYLOAD_TOO_LARGE,
 * PAYLOAD_INVALID.
 */
export function toWire(value: unknown): WireText {
  const text =
    value instanceof Uint8Array
      ? `"payloadBase64":"${toBase64(value)}"`
      : `"payload":${json(value)}`;
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > peerLimits.messageBytesMax - headerBytesMax) {
    throw new BackplaneError('PAYLOAD_TOO_LARGE', `the payload has ${bytes} bytes as it is sent`);
  }
  try {
    if (!(value instanceof Uint8Array)) parsePlainJson(`{${text}}`, 'the payload');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'the payload is not plain JSON';
    throw new BackplaneError('PAYLOAD_INVALID', why, { cause });
  }
  return { text, bytes };
}

/** What an application gets: the JSON value, or the bytes. */
export function fromWire(message: { payload?: unknown; payloadBase64?: string }): unknown {
  const { payload, payloadBase64 } = message;
  if (payloadBase64 === undefined) return payload;
  return Uint8Array.from(atob(payloadBase64), (letter) => letter.charCodeAt(0));
}

function json(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new BackplaneError('PAYLOAD_INVALID', 'the payload cannot be written as JSON', { cause });
  }
  if (text === undefined) {
    throw new BackplaneError('PAYLOAD_INVALID', `${typeof value} cannot be written as JSON`);
  }
  return text;
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += bytesPerCall) {
    binary += String.fromCharCode(...bytes.subarray(at, at + bytesPerCall));
  }
  return btoa(binary);
}
