import { BackplaneError } from '../foundation/errors.ts';
import { relayLimits, relayProtocol } from '../foundation/relay-protocol.ts';

/** The addresses of a workspace on each node; throws URL_INVALID, NAME_INVALID. */
export function workspaceUrls(given: string | readonly string[], workspace: string): string[] {
  const texts = typeof given === 'string' ? [given] : given;
  if (texts.length === 0) throw new BackplaneError('URL_INVALID', 'no url of a node was given');
  const bytes = new TextEncoder().encode(workspace).length;
  if (bytes === 0 || bytes > relayLimits.workspaceBytesMax) {
    throw new BackplaneError('NAME_INVALID', `the name of the workspace has ${bytes} bytes`);
  }
  return texts.map((text) => {
    if (!URL.canParse(text)) {
      // It may hold a password, so it is not repeated.
      throw new BackplaneError('URL_INVALID', 'the address of a node is not a URL');
    }
    const url = new URL(text);
    const scheme = { 'http:': 'ws:', 'https:': 'wss:', 'ws:': 'ws:', 'wss:': 'wss:' }[url.protocol];
    if (!scheme || url.username !== '' || url.password !== '') {
      throw new BackplaneError('URL_INVALID', 'a node has an http, https, ws or wss address', {
        remedy: 'give a token as `token`, not in the URL',
      });
    }
    const folder = url.pathname.replace(/\/$/, '');
    const path = `${folder}${relayProtocol.path}${encodeURIComponent(workspace)}`;
    return `${scheme}//${url.host}${path}`;
  });
}
