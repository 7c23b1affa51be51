import { limits } from '../foundation/limits.ts';
import { peerLimits } from '../foundation/peer-protocol.ts';
import { relayLimits } from '../foundation/relay-protocol.ts';

/** What the gateway allows the outside. Tests and embedders may tighten any of it. */
export interface GatewayBounds {
  readonly peersMax: number;
  readonly messageBytesMax: number;
  readonly documentsMax: number;
  readonly awarenessMax: number;
  readonly unackedMax: number;
  readonly unackedBytesMax: number;
  /** Of one connection; one that sends faster is not read for a moment. */
  readonly messagesPerSecond: number;
  /** What may wait for a peer that reads slowly; it is cut off beyond. */
  readonly queueBytesMax: number;
  /** The same for a relay connection. Its writers are stopped long before. */
  readonly relayQueueBytesMax: number;
  /** From the handshake to `hello`. */
  readonly helloMs: number;
  /** Between two pings; a peer silent for two of them is gone. */
  readonly keepAliveMs: number;
  /** From our close frame to the end of the connection, whatever the peer does. */
  readonly closeMs: number;
  /** How fast peers are sent away; raised when that would take longer than `drainMsMax`. */
  readonly drainPeersPerSecond: number;
  readonly drainMsMax: number;
  readonly headersMs: number;
  readonly requestMs: number;
}

export const gatewayBounds: GatewayBounds = {
  peersMax: 20_000,
  messageBytesMax: peerLimits.messageBytesMax,
  documentsMax: peerLimits.documentsMax,
  awarenessMax: peerLimits.awarenessMax,
  unackedMax: peerLimits.unackedMax,
  unackedBytesMax: peerLimits.unackedBytesMax,
  messagesPerSecond: 20_000,
  queueBytesMax: limits.peerQueueBytesMax,
  relayQueueBytesMax: relayLimits.daemonBytesMax,
  helloMs: 5_000,
  keepAliveMs: 15_000,
  closeMs: 2_000,
  drainPeersPerSecond: 500,
  drainMsMax: 10_000,
  headersMs: 10_000,
  requestMs: 15_000,
};
