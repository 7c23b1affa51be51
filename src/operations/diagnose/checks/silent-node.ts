import { formatDuration } from '../../../foundation/duration.ts';
import { stateOf } from '../../inspect/list-nodes.ts';
import type { Check } from '../check.ts';
import { liveSessions, standing } from '../cluster-facts.ts';
import { backplane } from '../paste-command.ts';

/** A node that misses its heartbeats, and has not been given up yet. */
export const silentNode: Check = {
  code: 'SILENT-NODE',
  title: 'every node beats',
  why: 'A node that misses heartbeats hangs, or is cut off from the broker. What it owns stands still until it is given up.',
  remedy:
    'Evict it: its documents go to others at once. If it still runs it comes back under a new session, without them.',
  look(evidence) {
    const silent = liveSessions(evidence).filter((each) => standing(evidence, each) === 'silent');
    return silent.map((record) => {
      const { id, description, lastBeatAgoMs, vitals, expiresInMs } = record;
      // Without a flag evict knows only the usual heartbeat, and would take it for alive.
      const force = stateOf(record) === 'silent' ? [] : ['--force'];
      return {
        severity: 'critical' as const,
        seen: `${description.nodeId} has not beaten for ${formatDuration(lastBeatAgoMs)}; it owns ${vitals.documents} documents, and its session ends in ${formatDuration(expiresInMs)}`,
        mend: [backplane(evidence, 'node', 'evict', id, ...force)],
      };
    });
  },
};
