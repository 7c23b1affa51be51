import { encodeName } from '../foundation/identifiers.ts';

/** Requests to one session, and the replies it waits for. Only its owner ever subscribes. */
export function inboxChannel(id: string): string {
  return `inbox:${id}`;
}

/** Ops, awareness and owner changes of one document. Anyone may listen. */
export function documentChannel(doc: string): string {
  return `doc:${encodeName(doc)}`;
}

/** Whether the daemon of a workspace came, went or moved. Nodes with a connection there listen. */
export function relayChannel(workspace: string): string {
  return `relay:${encodeName(workspace)}`;
}

/** Who came, went or changed in a hub. Nodes that need to know the hub listen. */
export function presenceChannel(hub: string): string {
  return `presence:${encodeName(hub)}`;
}

/** Evictions of one cache region. Every node with a cache there listens. */
export function cacheChannel(region: string): string {
  return `cache:${encodeName(region)}`;
}

export interface ChannelName {
  readonly kind: 'inbox' | 'doc' | 'cache' | 'relay' | 'other';
  /** A session id, or the document's name; of a long document name, its hash. */
  readonly subject: string;
}

/** What a channel is for, to show it to people. */
export function readChannelName(channel: string): ChannelName {
  const colon = channel.indexOf(':');
  const kind = channel.slice(0, colon);
  const subject = channel.slice(colon + 1);
  if (kind === 'inbox') return { kind, subject };
  if (kind === 'doc' || kind === 'cache' || kind === 'relay') {
    return { kind, subject: decodeSubject(subject) };
  }
  return { kind: 'other', subject: channel };
}

function decodeSubject(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
