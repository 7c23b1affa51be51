import { volatileIdentity } from '../../../ports/store.ts';
import type { Check } from '../check.ts';
import { liveSessions } from '../cluster-facts.ts';
import { backplane } from '../paste-command.ts';

/** Documents that are gone with a process. */
export const volatileStore: Check = {
  code: 'VOLATILE-STORE',
  title: 'documents outlive the process that wrote them',
  why: 'With --store memory: every document is gone when its node ends, and no other node can take it over.',
  remedy:
    'Serve with --store redis: or sqlite:PATH. Once the nodes with memory: are gone, the next one may choose another store.',
  look(evidence) {
    const { cluster } = evidence;
    if (!cluster?.storeIdentity.startsWith(volatileIdentity)) return [];
    const live = liveSessions(evidence);
    return [
      {
        severity: 'warning',
        seen: `the store of this cluster is in the memory of ${live.map(({ description }) => description.nodeId).join(', ') || 'a process that is gone'}`,
        mend: [
          ...live.map(({ id }) => backplane(evidence, 'node', 'drain', id)),
          backplane(evidence, 'serve', '--store', 'redis:'),
        ],
      },
    ];
  },
};
