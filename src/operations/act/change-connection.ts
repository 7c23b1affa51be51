import type { RequestOptions } from '../../runtime/reports.ts';
import type { ClusterDoor } from '../inspect/ask-any-node.ts';
import { askOneNode } from './ask-one-node.ts';

/** A connection as it is after it was changed. */
export interface ChangedConnection {
  readonly id: string;
  readonly user: string | null;
  readonly groups: readonly string[];
  readonly nodeId: string;
  readonly kicked: boolean;
}

export interface Change {
  readonly join?: readonly string[];
  readonly leave?: readonly string[];
  /** Why it is closed. */
  readonly kick?: string;
}

/** Has the node that holds the connection change it. Throws CONNECTION_UNKNOWN. */
export async function changeConnection(
  door: ClusterDoor,
  id: string,
  { join = [], leave = [], kick }: Change,
  options: RequestOptions = {},
): Promise<ChangedConnection> {
  const params = { id, join, leave, kick: kick ?? null };
  const answer = await askOneNode(door, 'presence.change', params, options);
  const { user, groups, nodeId } = answer as Record<string, unknown>;
  return {
    id,
    user: typeof user === 'string' ? user : null,
    groups: Array.isArray(groups) ? groups.map(String) : [],
    nodeId: String(nodeId),
    kicked: kick !== undefined,
  };
}
