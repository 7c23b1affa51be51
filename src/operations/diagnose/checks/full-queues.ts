import { limits } from '../../../foundation/limits.ts';
import type { Check, Sight } from '../check.ts';
import { megabytes, reports } from '../cluster-facts.ts';
import { backplane } from '../paste-command.ts';

const pendingWorthALook = 1_000;
const relayBytesWorthALook = limits.frameBytesMax;

/** What waits for somebody who does not read: calls without an answer, frames nobody takes. */
export const fullQueues: Check = {
  code: 'QUEUES',
  title: 'no queue grows that nobody reads',
  why: 'Calls that wait are answered too late for whoever made them. A workspace whose reader is slow stops its senders, until the reader catches up or is cut off.',
  remedy:
    'See which owner does not answer; see whether the client that should read still runs, and close its connection if not.',
  look(evidence) {
    const pending = reports(evidence).flatMap(({ nodeId, report }): Sight[] => {
      const waiting = report.metrics.gauges.requests_pending ?? 0;
      if (waiting < pendingWorthALook) return [];
      return [
        {
          severity: 'warning',
          seen: `${waiting} requests of ${nodeId} wait for an answer`,
          mend: [
            backplane(evidence, 'check', 'rpc'),
            backplane(evidence, 'explain', `node:${nodeId}`),
          ],
        },
      ];
    });
    const relayed = evidence.workspaces.rows
      .filter(({ queuedBytes }) => queuedBytes >= relayBytesWorthALook)
      .map(({ workspace, queuedBytes, browsers, nodeId }): Sight => {
        const between = `between ${browsers} browsers and ${nodeId === null ? 'no daemon' : `the daemon on ${nodeId}`}`;
        return {
          severity: 'warning',
          seen: `${megabytes(queuedBytes)} wait in ${workspace}, ${between}`,
          mend: [backplane(evidence, 'inspect', 'relay', workspace)],
        };
      });
    return [...pending, ...relayed];
  },
};
