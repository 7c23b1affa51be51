import { BackplaneError } from '../../foundation/errors.ts';
import type { Connection } from '../../runtime/presence/connection.ts';
import type { ConnectionSelector } from '../../runtime/presence/connection-selector.ts';
import type { GroupPresence, UserPresence } from '../../runtime/presence/presence-door.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import { askAnyNode, type ClusterDoor } from './ask-any-node.ts';

export interface PresenceQuery {
  readonly selector: ConnectionSelector;
  /** Asks the broker first, instead of trusting what a node has heard. */
  readonly fresh: boolean;
}

/** Every connection that matches, in the order of ids, as a node knows it. Throws NO_NODES. */
export function listConnections(door: ClusterDoor, query: PresenceQuery, options?: RequestOptions) {
  return pages<Connection>(door, 'connections', query, options);
}

/** Users who are online, in the order of names. */
export function listUsers(door: ClusterDoor, query: PresenceQuery, options?: RequestOptions) {
  return pages<UserPresence>(door, 'users', query, options);
}

/** Groups with somebody in them, in the order of names. */
export function listGroups(door: ClusterDoor, query: PresenceQuery, options?: RequestOptions) {
  return pages<GroupPresence>(door, 'groups', query, options);
}

async function* pages<Row>(
  door: ClusterDoor,
  what: 'connections' | 'users' | 'groups',
  { selector, fresh }: PresenceQuery,
  options: RequestOptions = {},
): AsyncGenerator<Row[]> {
  let after: string | null = null;
  do {
    // What was fresh for the first page is fresh enough for the next.
    const params = { what, selector, fresh: fresh && after === null, after };
    const answer = await askAnyNode(door, 'presence.query', params, options);
    const { rows, next } = answer as { rows: unknown; next: unknown };
    if (!Array.isArray(rows) || (next !== null && typeof next !== 'string')) {
      throw new BackplaneError('FRAME_INVALID', 'the node answered with no list');
    }
    yield rows as Row[];
    after = next;
  } while (after !== null);
}
