import { createHash } from 'node:crypto';
import { type Connection, recordOf } from './connection.ts';
import type { Presence } from './presence.ts';

/** What a node holds in a hub, and what it believes of the others, for whoever compares nodes. */
export interface HubState {
  /** Null between two sessions. */
  readonly own: SessionDigest | null;
  readonly others: readonly (SessionDigest & { readonly agreedAgoMs: number })[];
  /** Whether the node follows the hub; otherwise it knows nothing of the others. */
  readonly follows: boolean;
}

export interface SessionDigest {
  readonly session: string;
  /** Null while a write is under way. */
  readonly version: number | null;
  readonly connections: number;
  /** Equal for equal connections, groups and all; empty when nobody asked for it. */
  readonly digest: string;
}

/** Digests cost as much as there are connections. */
export async function describeHub(
  presence: Presence,
  hub: string,
  digests: boolean,
): Promise<HubState> {
  const { session, nowMs } = presence.standing();
  const ours = [...(presence.own.index(hub)?.values() ?? [])];
  const version = presence.own.confirmedVersion(hub);
  const feed = presence.feeds.peek(hub);
  const digest = (of: () => readonly Connection[]) => (digests ? digestOf(of()) : '');
  const others = (feed?.replica.rows() ?? []).map((row) => ({
    session: row.session,
    version: row.version,
    connections: row.connections,
    digest: digest(() => feed?.replica.connectionsOf(row.session) ?? []),
    agreedAgoMs: nowMs - row.agreedMs,
  }));
  return {
    own:
      session === null
        ? null
        : { session, version, connections: ours.length, digest: digest(() => ours) },
    others,
    follows: feed !== null,
  };
}

/** The same for the same connections, in whatever order. */
export function digestOf(connections: readonly Connection[]): string {
  const lines = connections.map((one) => `${one.id} ${recordOf(one)}`).sort();
  const hash = createHash('sha256');
  for (const line of lines) hash.update(line).update('\n');
  return hash.digest('hex').slice(0, 12);
}
