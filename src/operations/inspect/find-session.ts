import { BackplaneError } from '../../foundation/errors.ts';
import type { SessionRecord, Sessions } from '../../ports/sessions.ts';

/**
 * Every session of a node, by its nodeId or by the session's own id: live ones first, the latest
 * beat first. Throws NODE_UNKNOWN.
 */
export async function findSessions(sessions: Sessions, name: string): Promise<SessionRecord[]> {
  const found = (await sessions.list()).filter(
    (record) => record.id === name || record.description.nodeId === name,
  );
  if (found.length === 0) {
    throw new BackplaneError('NODE_UNKNOWN', `no node is called "${name}"`, {
      facts: { node: name },
    });
  }
  return found.sort(byLife);
}

/**
 * The one live session of a node. Throws NODE_UNKNOWN, NODE_DEAD, or CONFLICT when two live
 * processes share the nodeId, because acting on either would be a guess.
 */
export async function findLiveSession(sessions: Sessions, name: string): Promise<SessionRecord> {
  const found = await findSessions(sessions, name);
  const live = found.filter((record) => record.state === 'live');
  const only = live[0];
  if (!only) {
    throw new BackplaneError('NODE_DEAD', `the node "${name}" is dead (${found[0]?.cause})`, {
      facts: { node: name, session: found[0]?.id ?? null, cause: found[0]?.cause ?? null },
    });
  }
  if (live.length > 1) {
    const ids = live.map((record) => record.id);
    throw new BackplaneError('CONFLICT', `${live.length} live nodes are called "${name}"`, {
      remedy: `name one by its session: ${ids.join(' or ')}`,
      facts: { node: name, sessions: ids },
    });
  }
  return only;
}

function byLife(a: SessionRecord, b: SessionRecord): number {
  const dead = Number(a.state === 'dead') - Number(b.state === 'dead');
  return dead || a.lastBeatAgoMs - b.lastBeatAgoMs;
}
