import { createHash } from 'node:crypto';
import type { Certainty } from '../foundation/errors.ts';
import { limits, protocol } from '../foundation/limits.ts';
import { parsePlainJson } from '../foundation/plain-json.ts';
import { type CacheScope, readEvictionTrailer } from '../ports/cache-records.ts';

/**
 * What travels on the bus. A payload published is one or more frames, each
 *
 *   u32 length of the rest | u8 version | u32 cluster tag | u8 kind | u32 header length |
 *   header as JSON | payload bytes, which nobody on the way parses
 *
 * The cluster tag keeps two environments on one engine apart.
 */
export type Frame =
  | RequestFrame
  | ReplyFrame
  | OpsFrame
  | AwarenessFrame
  | AwarenessQueryFrame
  | OwnerFrame
  | CacheFrame
  | ProbeFrame
  | RelayFrame
  | RelayNewsFrame
  | PresenceFrame;

export interface RequestFrame {
  readonly kind: 'request';
  readonly id: string;
  /** The inbox the reply goes to. */
  readonly from: string;
  readonly plane: 'op' | 'call' | 'control';
  readonly method: string;
  readonly doc: string | null;
  /** True when the receiver is believed to own the document; false when it shall route. */
  readonly direct: boolean;
  readonly hops: number;
  /** What was left of the deadline when it was sent: no two clocks are compared. */
  readonly remainingMs: number;
  /** The sender's wall clock, to notice that a frame lay around (`requests/lateness.ts`). */
  readonly sentAt: number;
  /** The sender's monotonic clock, for the same: nobody sets that one. Older nodes do not say. */
  readonly sentMs?: number;
  /** It was sent before under this id: no answer came, and it or its answer may be lost. */
  readonly again?: boolean;
  readonly payload: Uint8Array;
}

export interface ReplyFrame {
  readonly kind: 'reply';
  readonly id: string;
  readonly nodeId: string;
  readonly hops: number;
  readonly error: WireError | null;
  readonly payload: Uint8Array;
}

export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly certainty: Certainty;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface OpsFrame {
  readonly kind: 'ops';
  readonly doc: string;
  readonly nodeId: string;
  readonly ops: readonly OpHeader[];
  /** The payloads of the ops, one after the other. */
  readonly payload: Uint8Array;
}

export interface OpHeader {
  readonly seq: number;
  readonly epoch: number;
  readonly peer: string;
  readonly counter: number;
  readonly at: number;
  readonly chain: string;
  readonly length: number;
}

export interface AwarenessFrame {
  readonly kind: 'awareness';
  readonly doc: string;
  readonly nodeId: string;
  /** The session the states hang on: they are forgotten when it is found dead. */
  readonly session: string;
  readonly changes: readonly AwarenessHeader[];
  readonly payload: Uint8Array;
}

export interface AwarenessHeader {
  readonly peer: string;
  readonly clock: number;
  /** Bytes of the state; null when the peer is gone. */
  readonly length: number | null;
}

/** Asks the other nodes on the channel to repeat what their peers' states are. */
export interface AwarenessQueryFrame {
  readonly kind: 'awareness-query';
  readonly doc: string;
  readonly nodeId: string;
  readonly session: string;
  readonly payload: Uint8Array;
}

export interface OwnerFrame {
  readonly kind: 'owner';
  readonly doc: string;
  readonly nodeId: string;
  readonly session: string;
  readonly epoch: number;
  readonly change: 'owned' | 'released';
  readonly payload: Uint8Array;
}

/** An eviction; the broker adds its count and the token before it (`ports/cache-records.ts`). */
export interface CacheFrame {
  readonly kind: 'cache';
  readonly region: string;
  readonly nodeId: string;
  /** Drawn by the node that evicts, for as long as it runs. */
  readonly publisher: string;
  /** Of the publisher's evictions in the region. */
  readonly sequence: number;
  readonly token: string;
  readonly scope: CacheScope['kind'];
  /** The key or prefix; empty for a region. */
  readonly subject: string;
  readonly payload: Uint8Array;
}

export interface ProbeFrame {
  readonly kind: 'probe';
  readonly nonce: number;
  readonly payload: Uint8Array;
}

/** Between the nodes of a browser and of its daemon, in the inbox of one of them. */
export interface RelayFrame {
  readonly kind: 'relay';
  /** `letter`: the payload. `done`, `ask`: back-pressure. `gone`: the addressee is not here. */
  readonly what: 'letter' | 'done' | 'ask' | 'gone' | 'ping' | 'pong';
  /** Whether this goes to the daemon's connection or to the browser's. */
  readonly to: 'daemon' | 'browser';
  readonly from: string;
  readonly workspace: string;
  /** The daemon's connection. */
  readonly way: string;
  /** The browser's connection, and the stream it carries. */
  readonly conn: string;
  readonly stream: string;
  /** Bytes sent on this way before the letter, or in `done` those that have left. */
  readonly offset: number;
  readonly payload: Uint8Array;
}

/** The daemon of a workspace came, went or moved: look who holds it. */
export interface RelayNewsFrame {
  readonly kind: 'relay-news';
  readonly workspace: string;
  readonly payload: Uint8Array;
}

/** Changes of the connections of one session in one hub. */
export interface PresenceFrame {
  readonly kind: 'presence';
  readonly hub: string;
  readonly nodeId: string;
  readonly session: string;
  /** The version before; null when what was there was replaced as a whole. */
  readonly from: number | null;
  readonly version: number;
  /** `[[id, record or null], ...]` as JSON. */
  readonly payload: Uint8Array;
}

const kinds = [
  'request',
  'reply',
  'ops',
  'awareness',
  'awareness-query',
  'owner',
  'probe',
  'relay',
  'relay-news',
  'presence',
  'cache',
] as const satisfies readonly Frame['kind'][];

const prefixBytes = 4 + 1 + 4 + 1 + 4;
export const noPayload = new Uint8Array(0);

/** Four bytes that stand for the cluster in every frame. */
export function clusterTagOf(clusterId: string): number {
  return createHash('sha256').update(clusterId).digest().readUInt32BE(0);
}

export function encodeFrame(clusterTag: number, frame: Frame): Uint8Array {
  const { kind, payload, ...fields } = frame;
  const header = Buffer.from(JSON.stringify(fields));
  const bytes = Buffer.allocUnsafe(prefixBytes + header.length + payload.length);
  bytes.writeUInt32BE(bytes.length - 4, 0);
  bytes.writeUInt8(protocol.version, 4);
  bytes.writeUInt32BE(clusterTag, 5);
  bytes.writeUInt8(kinds.indexOf(kind) + 1, 9);
  bytes.writeUInt32BE(header.length, 10);
  header.copy(bytes, prefixBytes);
  bytes.set(payload, prefixBytes + header.length);
  return bytes;
}

export type FrameFault = 'foreign' | 'version' | 'malformed';

/**
 * Reads every frame of a published payload. What cannot be read is reported and skipped: a
 * hostile or foreign frame must never stop the ones behind it, nor throw into the bus.
 */
export function* decodeFrames(
  clusterTag: number,
  published: Uint8Array,
  report: (fault: FrameFault) => void,
): Generator<Frame> {
  const bytes = Buffer.from(published.buffer, published.byteOffset, published.byteLength);
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < prefixBytes) return report('malformed');
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length || end - at < prefixBytes) return report('malformed');
    const body = bytes.subarray(at, end);
    at = end;
    if (body.length > limits.frameBytesMax) report('malformed');
    else if (body.readUInt8(4) !== protocol.version) report('version');
    else if (body.readUInt32BE(5) !== clusterTag) report('foreign');
    else {
      const frame = decodeBody(body);
      if (frame) yield frame;
      else report('malformed');
    }
  }
}

function decodeBody(body: Buffer): Frame | null {
  const kind = kinds[body.readUInt8(9) - 1];
  const payloadAt = prefixBytes + body.readUInt32BE(10);
  if (!kind || payloadAt > body.length) return null;
  try {
    const header = parsePlainJson(body.toString('utf8', prefixBytes, payloadAt), 'a frame header');
    const frame = { ...(header as object), kind, payload: body.subarray(payloadAt) };
    return isWellFormed(frame as unknown as Frame) ? (frame as unknown as Frame) : null;
  } catch {
    return null;
  }
}

const isText = (value: unknown) => typeof value === 'string' && value.length <= 2_048;
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

function isWellFormed(frame: Frame): boolean {
  switch (frame.kind) {
    case 'request':
      return requestFits(frame);
    case 'reply':
      return (
        isText(frame.id) &&
        isText(frame.nodeId) &&
        isCount(frame.hops) &&
        (frame.error === null || (typeof frame.error === 'object' && isText(frame.error.code)))
      );
    case 'ops':
      return isText(frame.doc) && isText(frame.nodeId) && opsFit(frame);
    case 'awareness':
      return (
        isText(frame.doc) && isText(frame.nodeId) && isText(frame.session) && awarenessFits(frame)
      );
    case 'awareness-query':
      return isText(frame.doc) && isText(frame.nodeId) && isText(frame.session);
    case 'owner':
      return (
        isText(frame.doc) && isText(frame.nodeId) && isText(frame.session) && isCount(frame.epoch)
      );
    case 'cache':
      return (
        [frame.region, frame.nodeId, frame.publisher, frame.token, frame.subject].every(isText) &&
        isCount(frame.sequence) &&
        ['key', 'prefix', 'region'].includes(frame.scope) &&
        readEvictionTrailer(frame.payload) !== null
      );
    case 'probe':
      return isCount(frame.nonce);
    case 'relay':
      return (
        ['letter', 'done', 'ask', 'gone', 'ping', 'pong'].includes(frame.what) &&
        ['daemon', 'browser'].includes(frame.to) &&
        [frame.from, frame.workspace, frame.way, frame.conn, frame.stream].every(isText) &&
        isCount(frame.offset)
      );
    case 'presence':
      return (
        [frame.hub, frame.nodeId, frame.session].every(isText) &&
        (frame.from === null || isCount(frame.from)) &&
        isCount(frame.version)
      );
    case 'relay-news':
      return isText(frame.workspace);
  }
}

function requestFits(frame: RequestFrame): boolean {
  return (
    isText(frame.id) &&
    isText(frame.from) &&
    isText(frame.method) &&
    (frame.doc === null || isText(frame.doc)) &&
    ['op', 'call', 'control'].includes(frame.plane) &&
    typeof frame.direct === 'boolean' &&
    isCount(frame.hops) &&
    Number.isFinite(frame.remainingMs) &&
    Number.isFinite(frame.sentAt) &&
    (frame.sentMs === undefined || Number.isFinite(frame.sentMs)) &&
    ['undefined', 'boolean'].includes(typeof frame.again)
  );
}

function opsFit(frame: OpsFrame): boolean {
  if (!Array.isArray(frame.ops)) return false;
  let total = 0;
  for (const op of frame.ops) {
    const fits =
      isCount(op?.seq) &&
      isCount(op.epoch) &&
      isCount(op.counter) &&
      isCount(op.length) &&
      isText(op.peer) &&
      isText(op.chain) &&
      Number.isFinite(op.at);
    if (!fits) return false;
    total += op.length;
  }
  return total === frame.payload.length;
}

function awarenessFits(frame: AwarenessFrame): boolean {
  if (!Array.isArray(frame.changes)) return false;
  let total = 0;
  for (const change of frame.changes) {
    const length = change?.length;
    if (!isText(change?.peer) || !isCount(change.clock)) return false;
    if (length !== null && !isCount(length)) return false;
    total += length ?? 0;
  }
  return total === frame.payload.length;
}
