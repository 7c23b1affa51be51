import { BackplaneError } from '../foundation/errors.ts';
import { type PeerIdentity, peerProtocol } from '../foundation/peer-protocol.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { BackplaneClient } from './backplane-client.ts';
import { browserClock } from './browser-clock.ts';
import { browserRandom } from './browser-random.ts';
import type { WebSocketConstructor } from './web-socket.ts';

export interface ConnectOptions {
  /** Nodes, or a load balancer before them: `http://host:7420`, `wss://example.com/v1/peers`. */
  readonly urls: string | readonly string[];
  readonly token?: string | null;
  /** Who this connection is: hub, user, groups, attributes. The node may know better. */
  readonly identity?: PeerIdentity;
  /** Where there is no global one. */
  readonly WebSocket?: WebSocketConstructor;
  readonly clock?: Clock;
  readonly random?: Random;
  /** The longest pause between two attempts to connect. */
  readonly reconnectMsMax?: number;
  readonly connectMs?: number;
  readonly pingMs?: number;
}

/** Connects in the background, and stays connected until it is closed. Throws URL_INVALID. */
export function connect(options: ConnectOptions): BackplaneClient {
  const urls = typeof options.urls === 'string' ? [options.urls] : options.urls;
  if (urls.length === 0) throw new BackplaneError('URL_INVALID', 'no url of a node was given');
  const socket = options.WebSocket ?? (globalThis.WebSocket as WebSocketConstructor | undefined);
  if (!socket) {
    throw new BackplaneError('CONFIG_INVALID', 'there is no global WebSocket here', {
      remedy: 'pass one: connect({ WebSocket })',
    });
  }
  return new BackplaneClient({
    urls: urls.map(peerUrl),
    token: options.token ?? null,
    identity: options.identity ?? {},
    WebSocket: socket,
    clock: options.clock ?? browserClock,
    random: options.random ?? browserRandom,
    reconnect: { firstMs: 100, mostMs: options.reconnectMsMax ?? 10_000 },
    connectMs: options.connectMs ?? 10_000,
    pingMs: options.pingMs ?? 10_000,
  });
}

function peerUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // It may hold a password, so it is not repeated.
    throw new BackplaneError('URL_INVALID', 'the address of a node is not a URL');
  }
  const scheme = { 'http:': 'ws:', 'https:': 'wss:', 'ws:': 'ws:', 'wss:': 'wss:' }[url.protocol];
  if (!scheme || url.username !== '' || url.password !== '') {
    throw new BackplaneError('URL_INVALID', 'a node has an http, https, ws or wss address', {
      remedy: 'give a token as `token`, not in the URL',
    });
  }
  const path = url.pathname === '/' ? peerProtocol.path : url.pathname;
  return `${scheme}//${url.host}${path}${url.search}`;
}
