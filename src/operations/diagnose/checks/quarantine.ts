import type { Check } from '../check.ts';
import { reports } from '../cluster-facts.ts';
import { backplane } from '../paste-command.ts';

/** A log that lost what was acknowledged. */
export const quarantine: Check = {
  code: 'QUARANTINE',
  title: 'no log has lost what was acknowledged',
  why: 'The log of a document ends before an op that was acknowledged: the store was rewound, by a restore or a failover. Its owner refuses to go on as if nothing had happened.',
  remedy:
    'Restore the store, then drain and restart the nodes; or accept the loss by restarting them alone.',
  look(evidence) {
    return reports(evidence).flatMap(({ nodeId, session, report }) => {
      const count = report.metrics.counters.documents_quarantined_total ?? 0;
      if (count === 0) return [];
      return [
        {
          severity: 'critical' as const,
          seen: `${nodeId} quarantined ${count} documents since it started: acknowledged ops are missing from their logs`,
          mend: [backplane(evidence, 'node', 'drain', session)],
        },
      ];
    });
  },
};
