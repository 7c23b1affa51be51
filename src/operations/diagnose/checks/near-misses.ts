import { formatDuration } from '../../../foundation/duration.ts';
import type { Check, Sight } from '../check.ts';
import { reports } from '../cluster-facts.ts';
import { backplane, redisCli } from '../paste-command.ts';

/** A session that was nearly lost will be lost one day. */
export const nearMisses: Check = {
  code: 'NEAR-MISS',
  title: 'heartbeats come through with time to spare',
  why: 'When a renewal comes through with little of the lease left, the next small delay loses the session, and every document of the node with it.',
  remedy: 'See what is slow: the broker, the network, or the node. A longer --lease-ttl hides it.',
  look(evidence) {
    return reports(evidence).flatMap(({ nodeId, session, report }): Sight[] => {
      const { sessionMarginMs, renewalMs, overMs } = report.strain;
      const { leaseTtlMs } = report.dials;
      const lost = report.metrics.counters.sessions_lost_total ?? 0;
      const sights: Sight[] = [];
      if (sessionMarginMs !== null && sessionMarginMs < leaseTtlMs / 3) {
        sights.push({
          severity: sessionMarginMs < leaseTtlMs / 10 ? 'critical' : 'warning',
          seen: `${nodeId} renewed its session with ${formatDuration(Math.max(0, sessionMarginMs))} of ${formatDuration(leaseTtlMs)} left; the slowest renewal took ${formatDuration(renewalMs ?? 0)} (last ${formatDuration(overMs)})`,
          mend: [
            redisCli(evidence, 'SLOWLOG', 'GET', '10'),
            backplane(evidence, 'node', 'drain', session),
          ],
        });
      }
      if (lost > 0) {
        const mend = [backplane(evidence, 'explain', `node:${nodeId}`)];
        const seen = `${nodeId} lost ${lost} sessions since it started`;
        sights.push({ severity: 'note', seen, mend });
      }
      return sights;
    });
  },
};
