import type { Check, Sight } from '../check.ts';
import { namesOf } from '../cluster-facts.ts';
import { backplane } from '../paste-command.ts';

/** What a dead session left, and nobody cleared. */
export const leavings: Check = {
  code: 'LEAVINGS',
  title: 'the dead have left nothing behind',
  why: 'A lease of a dead session is taken over only when somebody asks for its document; until then listings and counts are wrong, and the first request waits longer.',
  remedy: 'Evict the dead session; leases of sessions that nobody remembers are removed by fsck.',
  look({ leases, ...evidence }) {
    const left = leases.rows.filter(({ state, settled }) => state !== 'live' && settled);
    return left.map(({ session, state, docs, leases: count }): Sight => {
      const nodeId = evidence.sessions.find(({ id }) => id === session)?.description.nodeId;
      return {
        severity: 'warning',
        seen: `${count} leases of ${nodeId === undefined ? `the unknown session ${session}` : `${nodeId}, which is dead`}: ${namesOf(docs)}`,
        mend: [
          state === null
            ? backplane(evidence, 'fsck', '--fix', '--write')
            : backplane(evidence, 'node', 'evict', session),
        ],
      };
    });
  },
};
