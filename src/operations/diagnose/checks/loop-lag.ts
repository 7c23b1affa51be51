import { formatDuration } from '../../../foundation/duration.ts';
import { protocol } from '../../../foundation/limits.ts';
import type { Check } from '../check.ts';
import { reports } from '../cluster-facts.ts';
import { backplane } from '../paste-command.ts';

const noteworthyMs = 1_000;

/** While the event loop stands still, nothing runs: no heartbeat, no op, no timer. */
export const loopLag: Check = {
  code: 'LOOP-LAG',
  title: 'no event loop stands still for long',
  why: 'A node that computes for seconds neither serves nor beats. Beyond what its lease leaves over it is given up for dead while it is alive.',
  remedy: 'Find what blocks it (node --cpu-prof), and drain the node meanwhile.',
  look(evidence) {
    return reports(evidence).flatMap(({ nodeId, session, report }) => {
      const { loopLagMs, overMs } = report.strain;
      if (loopLagMs === null || loopLagMs < noteworthyMs) return [];
      const { leaseTtlMs, heartbeatMs } = report.dials;
      const spareMs = leaseTtlMs - heartbeatMs - protocol.renewalTimeoutMs;
      return [
        {
          severity: loopLagMs > spareMs / 2 ? ('critical' as const) : ('warning' as const),
          seen: `the event loop of ${nodeId} stood still for ${formatDuration(loopLagMs)} within the last ${formatDuration(overMs)}; its lease leaves ${formatDuration(spareMs)} over`,
          mend: [backplane(evidence, 'node', 'drain', session)],
        },
      ];
    });
  },
};
