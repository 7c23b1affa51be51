/** Whether only programs of this machine can reach a listener on this address. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1') return true;
  return /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(bare);
}

/** The host of a `Host` header or an origin without its port; null when it is neither. */
export function hostnameOf(authority: string): string | null {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]/@?#\s]+)(?::\d{1,5})?$/i.exec(authority);
  return match?.[1] ? match[1].replace(/^\[|\]$/g, '').toLowerCase() : null;
}
