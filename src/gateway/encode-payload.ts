import { opIdOf } from '../foundation/identifiers.ts';
import { parsePlainJson } from '../foundation/plain-json.ts';
import type { AwarenessChange, FollowedOp } from '../runtime/reports.ts';

/**
 * Bytes as a member of a JSON message: `"payload":…` when they are plain JSON, which then passes
 * through as it is, else `"payloadBase64":"…"`. So nothing on the wire is ever poisonous, whoever
 * wrote it to the log.
 */
export function encodePayload(name: 'payload' | 'state', bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  try {
    parsePlainJson(text);
    // Replacement characters would not be the bytes that were sent.
    if (Buffer.byteLength(text) === buffer.length) return `"${name}":${text}`;
  } catch {
    // Opaque to us, and nothing is wrong with that.
  }
  return `"${name}Base64":"${buffer.toString('base64')}"`;
}

/** Every peer here gets the same object, so each op is encoded once a node, not once a peer. */
const encodedOps = new WeakMap<FollowedOp, string>();
const encodedChanges = new WeakMap<AwarenessChange, string>();

export function encodeOp(op: FollowedOp): string {
  let text = encodedOps.get(op);
  if (text === undefined) {
    const opId = JSON.stringify(opIdOf(op.peer, op.counter));
    const payload = encodePayload('payload', op.payload);
    text = `{"seq":${op.seq},"epoch":${op.epoch},"opId":${opId},"at":${op.at},${payload}}`;
    encodedOps.set(op, text);
  }
  return text;
}

export function encodeChange(change: AwarenessChange): string {
  let text = encodedChanges.get(change);
  if (text === undefined) {
    const state = change.state === null ? '"state":null' : encodePayload('state', change.state);
    text = `{"peer":${JSON.stringify(change.peer)},"clock":${change.clock},${state}}`;
    encodedChanges.set(change, text);
  }
  return text;
}
