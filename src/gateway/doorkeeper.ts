import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { peerProtocol } from '../foundation/peer-protocol.ts';
import type { Secret } from '../foundation/secret.ts';
import { hostnameOf, isLoopback } from './loopback.ts';

export interface DoorSettings {
  readonly host: string;
  readonly token: Secret | null;
  /** Further names this gateway goes by. */
  readonly names: readonly string[];
}

/**
 * Decides who may come in. Without a token a page in a browser is the danger: it can reach
 * loopback, under a name it controls (DNS rebinding) or across origins. So then the `Host` must be
 * ours, and an `Origin`, which only browsers send, must be of this machine. With a token, the token
 * decides: no page can guess it.
 */
export class Doorkeeper {
  readonly #settings: DoorSettings;
  readonly #digest: Buffer | null;
  readonly #names: ReadonlySet<string>;

  constructor(settings: DoorSettings) {
    this.#settings = settings;
    this.#digest = settings.token ? digestOf(settings.token.reveal()) : null;
    const names = [settings.host, ...settings.names];
    this.#names = new Set(names.map((name) => name.replace(/^\[|\]$/g, '').toLowerCase()));
  }

  knowsHost(request: IncomingMessage): boolean {
    // A token, not a name, is what guards a gateway behind a load balancer.
    if (this.#digest && this.#settings.names.length === 0) return true;
    return this.#isOurs(hostnameOf(request.headers.host ?? ''));
  }

  trustsOrigin(request: IncomingMessage): boolean {
    const { origin } = request.headers;
    if (origin === undefined || this.#digest) return true;
    const match = /^https?:\/\/([^/]+)$/.exec(origin);
    return match?.[1] !== undefined && this.#isOurs(hostnameOf(match[1]));
  }

  /** True when no token is needed, or the right one was shown. Takes the same time for any wrong one. */
  isAuthorized(request: IncomingMessage): boolean {
    const digest = this.#digest;
    if (!digest) return true;
    return tokensOf(request).some((token) => timingSafeEqual(digestOf(token), digest));
  }

  #isOurs(hostname: string | null): boolean {
    return hostname !== null && (isLoopback(hostname) || this.#names.has(hostname));
  }
}

/** Digests have one length, which the comparison needs, and tell nothing about a prefix. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function tokensOf(request: IncomingMessage): string[] {
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  const query = new URLSearchParams(/\?(.*)$/.exec(request.url ?? '')?.[1] ?? '').get('token');
  const offered = subprotocolsOf(request)
    .filter((name) => name.startsWith(peerProtocol.tokenSubprotocol))
    .map((name) => name.slice(peerProtocol.tokenSubprotocol.length))
    .map((encoded) => Buffer.from(encoded, 'base64url').toString('utf8'));
  return [bearer, query, ...offered].filter((token) => typeof token === 'string').slice(0, 4);
}

export function subprotocolsOf(request: IncomingMessage): string[] {
  const header = request.headers['sec-websocket-protocol'] ?? '';
  return header.split(',').map((name) => name.trim());
}
