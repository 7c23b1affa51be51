import type { Certainty } from './errors.ts';
import { limits } from './limits.ts';

/**
 * How a peer speaks to a node: JSON text messages over one WebSocket, version 1. This file is the
 * whole specification; a client in another language needs nothing else.
 *
 * **Connecting.** `GET /v1/peers` with the subprotocol `backplane.v1`. A token goes into
 * `Authorization: Bearer TOKEN`, or, where headers cannot be set, into a second subprotocol
 * `backplane.token.` followed by the token in base64url without padding. The first message is
 * `hello`; the node answers `welcome` with its bounds. Messages are text, never binary, each one
 * JSON object with a `type`; unknown fields and the keys `__proto__`, `constructor` and
 * `prototype` are refused. A message that breaks a rule closes the connection with a code of
 * `closeCodes` and a reason.
 *
 * **Following.** `join` follows a document after `since` (a seq; `null` is "from now on"), with
 * `state: true` from its state of now. `joined` says after which seq the ops begin; from then on
 * every op comes once, in the order of `seq`, without a gap. After a reconnect, join again with
 * `since` = the last seq seen. A second `join` of a document replaces the first. `failed` ends it.
 *
 * **Sending.** An op is named by `peer` (drawn at random by the client for one document, never used
 * again in another life) and `counter`: 1, 2, 3 … without a gap. `ack` means it is stored for ever.
 * After anything else (`refused` that is worth a retry, a closed connection, silence) send the
 * same op with the same `peer` and `counter` again, on any node: it is applied once, and answered
 * with the same `seq`. Ops of one peer may be sent without waiting, in order, up to `unackedMax`
 * and `unackedBytesMax` of `welcome`. `OP_GAP` with `facts.expected` names the counter to go on from.
 * After a definite refusal for good, go on with a new `peer`, so that no late copy can ever apply.
 *
 * **Payloads** are JSON (`payload`; numbers are doubles) or bytes (`payloadBase64`), never both. What
 * is not plain JSON in a log arrives as `payloadBase64`.
 *
 * **Presence.** `hello` may say who the connection is: `hub` (`main`), `user`, `groups`, `attributes`
 * (texts). The node may overrule all of it. `welcome` names the `connection`, which every node can
 * find from then on. `message` is for the application. `invoke` asks for one `result` with the same
 * `ref`: a payload, or an `error` with a `code` (`METHOD_UNKNOWN` or `HANDLER_FAILED`) and a
 * `message`; after `cancel` nobody waits for it any more. Groups joined later, by whomever, last as
 * long as the connection. Whoever is closed with 4410 was meant to go, and should not come back.
 *
 * **Leaving.** `draining` announces that the node will close with 1012; connect elsewhere after
 * `reconnectAfterMs`. The node pings idle connections and drops those that do not answer; a client
 * that cannot see pings sends `ping` and expects `pong`.
 */
export const peerProtocol = {
  version: 1,
  path: '/v1/peers',
  subprotocol: 'backplane.v1',
  tokenSubprotocol: 'backplane.token.',
} as const;

export const peerLimits = {
  /** One message: the largest payload, and room for what stands around it. */
  messageBytesMax: limits.payloadBytesMax + 65_536,
  /** Documents one connection may follow at once. */
  documentsMax: 256,
  /** Pairs of document and peer for which one connection may set awareness. */
  awarenessMax: 256,
  /** Ops and requests of one connection that are not answered yet. */
  unackedMax: limits.peerUnackedMax,
  unackedBytesMax: limits.peerQueueBytesMax,
  methodLengthMax: 128,
} as const;

/** Why a connection was closed. The reason says more, in English, for people. */
export const closeCodes = {
  normal: 1000,
  messageTooLarge: 1009,
  /** The node stops: connect elsewhere. */
  restarting: 1012,
  /** The peer reads too slowly, or the node is full: connect again, after a while. */
  tryLater: 1013,
  /** A message broke a rule; sending it again will not help. */
  messageInvalid: 4400,
  unauthorized: 4401,
  protocolUnknown: 4406,
  helloMissing: 4408,
  /** Closed on purpose: do not connect again. */
  kicked: 4410,
} as const;

/** JSON as `payload`, or bytes as `payloadBase64`. */
export type WirePayload =
  | { readonly payload: unknown; readonly payloadBase64?: never }
  | { readonly payloadBase64: string; readonly payload?: never };

export type ClientMessage =
  | ({ readonly type: 'hello'; readonly peerProtocol: number } & PeerIdentity)
  | {
      readonly type: 'join';
      readonly doc: string;
      readonly since?: number | null;
      readonly state?: boolean;
    }
  /** Ends following. Awareness stays until it is set to null or the connection ends. */
  | { readonly type: 'leave'; readonly doc: string }
  | ({
      readonly type: 'op';
      readonly doc: string;
      readonly peer: string;
      readonly counter: number;
      /** Chosen by the client; the answer repeats it. */
      readonly ref: number;
    } & WirePayload)
  | {
      readonly type: 'awareness';
      readonly doc: string;
      readonly peer: string;
      /** Any JSON; null when the peer is gone. */
      readonly state: unknown;
    }
  | ({
      readonly type: 'rpc';
      readonly doc: string;
      readonly method: string;
      readonly ref: number;
    } & WirePayload)
  /** The answer to `invoke`. */
  | ({ readonly type: 'result'; readonly ref: number } & WirePayload)
  | { readonly type: 'result'; readonly ref: number; readonly error: PeerFailure }
  | { readonly type: 'ping' };

/** Who a connection says it is. */
export interface PeerIdentity {
  readonly hub?: string;
  readonly user?: string | null;
  readonly groups?: readonly string[];
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface PeerFailure {
  readonly code: string;
  readonly message: string;
}

export type ServerMessage =
  | {
      readonly type: 'welcome';
      readonly nodeId: string;
      readonly session: string | null;
      /** The name of this connection in the cluster. */
      readonly connection: string;
      readonly limits: WelcomeLimits;
    }
  | {
      readonly type: 'joined';
      readonly doc: string;
      /** Ops come from `seq + 1` on. */
      readonly seq: number;
      /** Null when the node did not have to look. */
      readonly epoch: number | null;
      /** Only when asked for; null when the document has no state. */
      readonly state?: unknown;
    }
  | { readonly type: 'ops'; readonly doc: string; readonly ops: readonly PeerOp[] }
  | {
      readonly type: 'awareness';
      readonly doc: string;
      readonly changes: readonly PeerAwareness[];
    }
  | {
      readonly type: 'ack';
      readonly ref: number;
      readonly doc: string;
      readonly opId: string;
      readonly seq: number;
      readonly epoch: number;
    }
  /** The answer to an op or rpc that failed. */
  | ({ readonly type: 'refused'; readonly ref: number } & WireError)
  | ({ readonly type: 'reply'; readonly ref: number; readonly nodeId: string } & WirePayload)
  | ({ readonly type: 'message' } & WirePayload)
  | ({ readonly type: 'invoke'; readonly ref: number; readonly method: string } & WirePayload)
  | { readonly type: 'cancel'; readonly ref: number }
  | { readonly type: 'draining'; readonly reconnectAfterMs: number }
  /** Following the document ended, or never began. */
  | ({ readonly type: 'failed'; readonly doc: string } & WireError)
  | { readonly type: 'pong' };

export interface WelcomeLimits {
  readonly messageBytesMax: number;
  readonly documentsMax: number;
  readonly unackedMax: number;
  readonly unackedBytesMax: number;
}

export type PeerOp = {
  readonly seq: number;
  readonly epoch: number;
  /** `peer:counter` of whoever sent it. */
  readonly opId: string;
  /** Milliseconds since 1970 by the owner's clock: to show, not to order. */
  readonly at: number;
} & WirePayload;

export interface PeerAwareness {
  readonly peer: string;
  /** The larger one wins. */
  readonly clock: number;
  /** Null when the peer is gone. */
  readonly state: unknown;
}

/** A code of the catalogue, and what a program needs to decide. */
export interface WireError {
  readonly code: string;
  readonly certainty: Certainty;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Failures that say "not now" or "not here": the same message may well succeed later. */
const passing: ReadonlySet<string> = new Set([
  'NO_RESPONDER',
  'NO_NODES',
  'NODE_DEAD',
  'RESPONDER_GONE',
  'DRAINING',
  'OVERLOADED',
  'DEADLINE_EXCEEDED',
  'BACKPLANE_UNREACHABLE',
  'BACKPLANE_LOST',
  'LEASE_HELD',
  'LEASE_LOST',
  'LEASE_UNCERTAIN',
  'NOT_OWNER',
  'FENCED',
  'CONFLICT',
  'SESSION_TAKEN',
  'SESSION_LOST',
  'OP_GAP',
  'STORE_UNAVAILABLE',
  'STORE_LOCKED',
  'CLOSED',
]);

/**
 * Whether an op may be sent again with the same opId: after anything that may have happened, and
 * after what will pass. What remains is a refusal for good.
 */
export function isWorthResending(error: Pick<WireError, 'code' | 'certainty'>): boolean {
  return error.certainty === 'indefinite' || passing.has(error.code);
}
