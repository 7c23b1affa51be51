import { BackplaneError } from '../../foundation/errors.ts';
import { limits } from '../../foundation/limits.ts';

/** Refuses what no node would take, before anything is connected. Throws PAYLOAD_TOO_LARGE. */
export function checkPayload(payload: Uint8Array, what = 'the payload'): Uint8Array {
  if (payload.byteLength <= limits.payloadBytesMax) return payload;
  throw new BackplaneError(
    'PAYLOAD_TOO_LARGE',
    `${what} has ${payload.byteLength} bytes; at most ${limits.payloadBytesMax} are allowed`,
    { facts: { bytes: payload.byteLength, bytesMax: limits.payloadBytesMax } },
  );
}
