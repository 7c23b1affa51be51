/**
 * Where a node sends us, as a URL without its query; null when it is no place to go: a client shows
 * its token there, so never to a place less private than where it was.
 */
export function redirectedUrl(text: string, from: string): string | null {
  if (text.length > 2_048 || !URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') return null;
  if (from.startsWith('wss:') && url.protocol !== 'wss:') return null;
  if (url.username !== '' || url.password !== '' || url.hash !== '') return null;
  return `${url.protocol}//${url.host}${url.pathname}`;
}
