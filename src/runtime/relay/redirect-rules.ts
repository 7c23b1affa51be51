import { checkAllowedHost, originOf } from '../../foundation/public-url.ts';
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
