import { limits } from './limits.ts';

/**
 * How browsers and the daemon of a workspace speak to each other through any nodes, version 1.
 * This file is the whole specification; a client in another language needs nothing else.
 *
 * **Connecting.** `GET /v1/relay/WORKSPACE` (percent-encoded) with the subprotocol
 * `backplane.relay.v1`; a token as for peers (`peer-protocol.ts`). In the query:
 *
 * - a browser: `role=browser&stream=S`, S drawn at random for the life of this client and kept
 *   over reconnects. `redirect=307` asks for HTTP 307 instead of the message `redirect`,
 *   `redirect=never` to be forwarded always. `hops=1` says that it was redirected; a client adds
 *   it (the URL it was given has it) and such a one is never redirected again.
 * - the daemon: `role=daemon&instance=I`, I drawn at random for the life of the process. A workspace
 *   has one daemon: a second instance is closed with 4409, or with `take=1` replaces the first,
 *   which is closed with 4409. The same instance may come back anywhere, at any time; without
 *   `take` then, or two would take from each other for ever.
 *
 * **Two kinds of messages.** Text is between a client and its node: `NodeMessage`, `ClientText`. Binary
 * is a *letter* between browser and daemon, which nodes pass on: `u16 length of the header | header
 * as JSON | payload`; the header is a `LetterHeader`, the payload opaque bytes.
 *
 * **Nodes promise nothing about letters** but not to change, swap or invent any: a letter may be lost
 * with a connection or a node. So browser and daemon keep what is not acknowledged and send it again:
 *
 * - `available` names the daemon's instance, and a `way` that changes whenever letters may have been
 *   lost; after each one the browser sends `open`, and again every second until it is answered. `conv`
 *   is the conversation it wants to go on with, null for a new one; `attempt` is drawn at random for
 *   each new one, so that an `open` repeated is not a second conversation.
 * - The daemon answers `opened` with a `conv` it drew at random, never used twice, or with `closed`
 *   when it does not know (any more) the `conv` asked for. `received` in both says which data
 *   arrived; the other side sends what came after it again. A browser also sends `open` when nothing
 *   was acknowledged for a second, a daemon `opened`: an acknowledgement may be lost as well.
 * - `data` of each direction has the ids 1, 2, 3 … The receiver takes only the next id; it drops
 *   what it had, and answers a gap with `ack` and `again`. `ack` is cumulative: `received` arrived,
 *   `taken` was handled by the application. No more than `window` bytes may be sent and not taken, one
 *   frame of any size excepted.
 * - A conversation ends with `bye`, `closed`, another instance, or 90 s of silence (an `opened` sent
 *   for no reason asks the browser for a sign of life, and is answered with `ack`). What was sent and
 *   not taken by then *may* have arrived; what was not sent has not. Neither is ever sent in
 *   another conversation, so nothing arrives twice.
 *
 * **Nobody there.** `unavailable` comes at once when there is no daemon, `available` when there is.
 *
 * **Elsewhere.** `redirect` and close code 4307 name the node of the daemon: go there, with the URL
 * as given. It comes before any letter of this connection was passed on, or never.
 *
 * **Bounds.** A message above `messageBytesMax` closes with 1009. A connection whose reader is slow is
 * not read; one that piles up more than the node holds is closed with 1013.
 */
export const relayProtocol = {
  version: 1,
  path: '/v1/relay/',
  subprotocol: 'backplane.relay.v1',
} as const;

export const relayLimits = {
  workspaceBytesMax: 256,
  /** The largest frame of an application. */
  payloadBytesMax: limits.payloadBytesMax,
  headerBytesMax: 1_024,
  messageBytesMax: limits.payloadBytesMax + 2_048,
  /** One client's frames that wait to be sent; one more is refused, or drops the oldest. */
  framesWaitingMax: 1_024,
  waitingBytesMax: 16_777_216,
  /** Frames of one conversation and direction that are sent and not taken. */
  framesFlyingMax: 256,
  /** Bytes of one conversation and direction that are sent and not taken: between these two. */
  windowBytesMax: 524_288,
  windowBytesMin: 16_384,
  /** What all browsers of a daemon may send to it together; each gets its share as a window. */
  daemonBytesMax: 67_108_864,
  /** Conversations of one daemon. */
  conversationsMax: 10_000,
} as const;

export const relayTimes = {
  /** From `open` to the next when no answer came; doubles up to the second. */
  retryMs: 1_000,
  retryMsMax: 8_000,
  /** After this long without a word the daemon asks for a sign of life. */
  quietMs: 30_000,
  /** And after this long it ends the conversation. */
  silentMs: 90_000,
  /** Frames that were sent wait this long for a daemon that is not there. */
  awayMs: 60_000,
} as const;

/** Why a relay connection was closed, next to those of `peer-protocol.ts`. */
export const relayCloseCodes = {
  /** Go to the URL of the message before. */
  redirected: 4307,
  /** The workspace has another daemon. */
  daemonTaken: 4409,
} as const;

export type NodeMessage =
  | { readonly type: 'welcome'; readonly nodeId: string; readonly messageBytesMax: number }
  | { readonly type: 'available'; readonly instance: string; readonly way: string }
  | { readonly type: 'unavailable'; readonly code: 'DAEMON_UNAVAILABLE' }
  | { readonly type: 'redirect'; readonly url: string }
  | { readonly type: 'draining'; readonly reconnectAfterMs: number }
  | { readonly type: 'pong' };

export type ClientText =
  | { readonly type: 'ping' }
  /** A client told to drop the oldest says how many it dropped since it last said so. */
  | { readonly type: 'dropped'; readonly frames: number };

/** From a browser to the daemon. */
export type UpHeader =
  | {
      readonly t: 'open';
      readonly stream: string;
      readonly attempt: string;
      readonly conv: string | null;
      readonly received: number;
      readonly taken: number;
    }
  | { readonly t: 'bye'; readonly stream: string; readonly conv: string }
  | EitherHeader;

/** From the daemon to a browser. */
export type DownHeader =
  | {
      readonly t: 'opened';
      readonly stream: string;
      readonly conv: string;
      readonly attempt: string;
      readonly received: number;
      readonly taken: number;
      readonly window: number;
    }
  | { readonly t: 'closed'; readonly stream: string; readonly conv: string | null }
  | EitherHeader;

type EitherHeader =
  | { readonly t: 'data'; readonly stream: string; readonly conv: string; readonly id: number }
  | {
      readonly t: 'ack';
      readonly stream: string;
      readonly conv: string;
      readonly received: number;
      readonly taken: number;
      /** Something is missing after `received`: send it again. */
      readonly again?: true;
    };

export type LetterHeader = UpHeader | DownHeader;
