import { BackplaneError } from '../../foundation/errors.ts';
import { relayProtocol } from '../../foundation/relay-protocol.ts';

export interface RelaySettings {
  /** Where clients reach this node, as it is told to others; null: they are never sent here. */
  readonly publicUrl: string | null;
  /** Whether browsers on the wrong node are sent to the right one instead of being forwarded. */
  readonly redirect: boolean;
  /** `host` or `host:port` of public URLs that browsers may be sent to, besides our own host. */
  readonly redirectAllow: readonly string[];
}

export const noRedirects: RelaySettings = { publicUrl: null, redirect: false, redirectAllow: [] };

/** The URL as `http(s)://host[:port]`; throws CONFIG_INVALID for anything more or less than that. */
export function checkPublicUrl(text: string): string {
  const origin = originOf(text);
  if (origin) return origin;
  throw new BackplaneError('CONFIG_INVALID', 'the public URL is not an address of a node', {
    remedy: 'write http://HOST:PORT, https://HOST, ws:// or wss://, with nothing behind it',
  });
}

/** One entry of the allow list; throws CONFIG_INVALID. */
export function checkAllowedHost(text: string): string {
  const host = text.trim().toLowerCase();
  const parsed = originOf(`http://${host}`);
  if (parsed && !host.includes('/')) return host;
  throw new BackplaneError('CONFIG_INVALID', 'an allowed host is HOST or HOST:PORT', {
    remedy: '--redirect-allow node-2.example.com',
  });
}

/**
 * Decides where a browser may be sent. A public URL comes from another node through the broker,
 * where anything can stand, and browsers follow it with their token: so only hosts on the list.
 */
export class RedirectRules {
  readonly #hosts: ReadonlySet<string>;
  readonly isOn: boolean;

  constructor(settings: RelaySettings, ownAddress: string | null) {
    this.isOn = settings.redirect;
    const own = [settings.publicUrl, ownAddress]
      .map((url) => (url === null ? null : originOf(url)))
      .filter((origin) => origin !== null)
      .map((origin) => new URL(origin).hostname);
    this.#hosts = new Set([...settings.redirectAllow.map(checkAllowedHost), ...own]);
  }

  /** The URL for the browsers of a workspace; null when the host is not allowed. */
  target(publicUrl: string, workspace: string): string | null {
    const origin = originOf(publicUrl);
    if (!origin) return null;
    const { protocol, host, hostname } = new URL(origin);
    if (!this.#hosts.has(host) && !this.#hosts.has(hostname)) return null;
    const scheme = protocol === 'https:' ? 'wss:' : 'ws:';
    return `${scheme}//${host}${relayProtocol.path}${encodeURIComponent(workspace)}?hops=1`;
  }
}

function originOf(text: string): string | null {
  if (text.length > 512 || !URL.canParse(text)) return null;
  const url = new URL(text);
  const schemes = { 'http:': 'http:', 'https:': 'https:', 'ws:': 'http:', 'wss:': 'https:' };
  const scheme = schemes[url.protocol as keyof typeof schemes];
  // A bare `?` or `#` leaves no trace in the parts, and still is no address.
  const isBare = url.username === '' && url.password === '' && !/[?#@\\]/.test(text);
  if (!scheme || !isBare || url.pathname !== '/' || url.hostname === '') return null;
  return `${scheme}//${url.host}`;
}
