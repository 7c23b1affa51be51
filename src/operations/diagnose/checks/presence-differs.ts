import type { Check, Sight } from '../check.ts';
import { namesOf } from '../cluster-facts.ts';
import type { Evidence } from '../evidence.ts';
import { backplane } from '../paste-command.ts';
import type { PresenceTrouble, PresenceTroubleKind } from '../presence-trouble.ts';

/** Every node must see the same connections, or messages miss some and reach for ghosts. */
export const presenceDiffers: Check = {
  code: 'PRESENCE',
  title: 'every node sees the connections that there are',
  why: 'A message or an invocation is sent to the nodes that hold the connections its sender knows of: who is not seen gets nothing, and who is gone is waited for.',
  remedy:
    'Evict the dead session whose connections were left behind. Evict a node that is wrong with --force: it comes back under a new session, and reads and registers everything again.',
  look(evidence) {
    const kinds = Map.groupBy(evidence.presence.rows, ({ kind }) => kind);
    return [...kinds].map(
      ([kind, troubles]): Sight => ({
        severity: 'warning',
        ...sightOf(evidence, kind, troubles),
      }),
    );
  },
};

function sightOf(
  evidence: Evidence,
  kind: PresenceTroubleKind,
  troubles: readonly PresenceTrouble[],
): Omit<Sight, 'severity'> {
  const evict = (sessions: readonly string[], ...flags: string[]) =>
    [...new Set(sessions)].map((id) => backplane(evidence, 'node', 'evict', id, ...flags));
  const hubs = namesOf([...new Set(troubles.map(({ hub }) => hub))]);
  const holders = troubles.map(({ session }) => session);
  const who = namesOf([...new Set(troubles.map(({ nodeId, session }) => nodeId ?? session))]);
  const seers = namesOf([...new Set(troubles.map(({ seenBy }) => seenBy))]);
  const sessionOf = (nodeId: string) =>
    evidence.nodes.find((node) => node.nodeId === nodeId)?.session ?? nodeId;
  const wrong = troubles.map(({ seenBy }) => sessionOf(seenBy));
  switch (kind) {
    case 'left-behind':
      return {
        seen: `connections of sessions that are not alive are still registered (${hubs}): ${namesOf(holders)}`,
        mend: leftMends(evidence, troubles, evict),
      };
    case 'unregistered':
      return {
        seen: `${who} holds connections that the broker has not (${hubs})`,
        mend: evict(holders, '--force'),
      };
    case 'behind':
      return {
        seen: `${seers} has not heard of connections of ${who} (${hubs})`,
        mend: evict(wrong, '--force'),
      };
    case 'lingering':
      return {
        seen: `${seers} still sees connections of ${who} that are gone (${hubs})`,
        mend: evict(wrong, '--force'),
      };
  }
}

/** A session that nobody remembers cannot be evicted by name. */
function leftMends(
  evidence: Evidence,
  troubles: readonly PresenceTrouble[],
  evict: (sessions: readonly string[]) => string[],
): string[] {
  const known = new Set(evidence.sessions.map(({ id }) => id));
  const ids = troubles.map(({ session }) => session).filter((id) => known.has(id));
  return ids.length > 0 ? evict(ids) : [backplane(evidence, 'fsck', '--fix', '--write')];
}
