import { limits } from '../../../foundation/limits.ts';
import type { Check, Sight } from '../check.ts';
import { megabytes, reports } from '../cluster-facts.ts';
import type { Evidence } from '../evidence.ts';
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
          ...mendOf(evidence, nodeId),
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
          advice: 'End the client that does not read, or wait: it catches up, or is cut off.',
        };
      });
    return [...pending, ...relayed];
  },
};

/** Whoever does not answer is the one they wait for; where all answer, it is a method that hangs. */
function mendOf(evidence: Evidence, nodeId: string): Pick<Sight, 'mend' | 'advice'> {
  const mute = evidence.nodes.filter(({ failure }) => failure !== null);
  if (mute.length > 0) {
    return {
      mend: mute.map(({ session }) => backplane(evidence, 'node', 'evict', session, '--force')),
      advice: 'Their documents go to others, and what waited is asked again there.',
    };
  }
  return {
    mend: [backplane(evidence, 'check', 'rpc'), backplane(evidence, 'explain', `node:${nodeId}`)],
    advice:
      'Every node answers, so it is a method of the application that hangs: each call ends at its deadline; mend the method.',
  };
}
