import type { IncomingMessage } from 'node:http';
import { BackplaneError } from '../foundation/errors.ts';
import { checkWorkspaceName } from '../foundation/identifiers.ts';
import { isRelayToken } from '../foundation/relay-letter.ts';
import { relayProtocol } from '../foundation/relay-protocol.ts';

export type RelayRequest =
  | {
      readonly role: 'browser';
      readonly workspace: string;
      readonly stream: string;
      /** How it wants to be sent elsewhere; null when it must not be, or has been. */
      readonly redirect: 'message' | '307' | null;
    }
  | {
      readonly role: 'daemon';
      readonly workspace: string;
      readonly instance: string;
      readonly take: boolean;
    };

export function isRelayPath(url: string): boolean {
  return url.startsWith(relayProtocol.path);
}

/** What a relay connection wants; throws REQUEST_INVALID or NAME_INVALID, and repeats nothing. */
export function readRelayRequest(request: IncomingMessage): RelayRequest {
  const [path = '', search = ''] = (request.url ?? '').split('?', 2);
  const workspace = checkWorkspaceName(decoded(path.slice(relayProtocol.path.length)));
  const query = new URLSearchParams(search);
  const role = query.get('role');
  if (role === 'daemon') {
    const instance = query.get('instance');
    if (!isRelayToken(instance)) throw invalid('a daemon draws an instance of 8 to 64 letters');
    return { role, workspace, instance, take: query.get('take') === '1' };
  }
  if (role !== 'browser') throw invalid('the role is daemon or browser');
  const stream = query.get('stream');
  if (!isRelayToken(stream)) throw invalid('a browser draws a stream of 8 to 64 letters');
  const wish = query.get('redirect') ?? 'message';
  if (!['message', '307', 'never'].includes(wish))
    throw invalid('redirect is message, 307 or never');
  const hops = Number(query.get('hops') ?? 0);
  const mayMove = wish !== 'never' && hops === 0;
  return { role, workspace, stream, redirect: mayMove ? (wish as 'message' | '307') : null };
}

/** The query of a redirected request: what we know of it, so nothing is reflected unseen. */
export function redirectedQuery(request: IncomingMessage): string {
  const query = new URLSearchParams((request.url ?? '').split('?', 2)[1] ?? '');
  const kept = ['role', 'stream', 'redirect', 'overflow', 'token'].flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [[name, value] as [string, string]];
  });
  return new URLSearchParams(kept).toString();
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('the name of the workspace is not percent-encoded');
  }
}

function invalid(why: string): BackplaneError {
  return new BackplaneError('REQUEST_INVALID', why);
}
