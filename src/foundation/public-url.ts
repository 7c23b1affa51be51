import { BackplaneError } from './errors.ts';

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
  // No wildcard: whoever could take a name below a host would be allowed, too.
  if (parsed && /^[a-z0-9.:[\]-]+$/.test(host)) return host;
  throw new BackplaneError('CONFIG_INVALID', 'an allowed host is HOST or HOST:PORT', {
    remedy: '--redirect-allow node-2.example.com',
  });
}

/** `http(s)://host[:port]` of an address that is nothing more; null otherwise. */
export function originOf(text: string): string | null {
  if (text.length > 512 || !URL.canParse(text)) return null;
  const url = new URL(text);
  const schemes = { 'http:': 'http:', 'https:': 'https:', 'ws:': 'http:', 'wss:': 'https:' };
  const scheme = schemes[url.protocol as keyof typeof schemes];
  // A bare `?` or `#` leaves no trace in the parts, and still is no address.
  const isBare = url.username === '' && url.password === '' && !/[?#@\\\s]/.test(text);
  if (!scheme || !isBare || url.pathname !== '/' || url.hostname === '') return null;
  return `${scheme}//${url.host}`;
}
