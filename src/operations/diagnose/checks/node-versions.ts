import type { Check } from '../check.ts';
import { liveSessions, minority, namesOf } from '../cluster-facts.ts';
import { backplane } from '../paste-command.ts';

/** In the middle of an upgrade this is as it should be; a week later it is not. */
export const nodeVersions: Check = {
  code: 'VERSIONS',
  title: 'every node runs the same version',
  why: 'Versions work together during an upgrade. Left mixed, a failure depends on which node a peer happens to reach.',
  remedy: 'Drain the nodes of the other version one by one, and start them anew.',
  look(evidence) {
    const live = liveSessions(evidence);
    const { most, others, groups } = minority(live, ({ description }) => {
      return `${description.version} (protocol ${description.protocol})`;
    });
    if (!most || others.length === 0) return [];
    const protocols = new Set(live.map(({ description }) => description.protocol));
    const shown = groups.map(([version, each]) => {
      return `${version}: ${namesOf(each.map(({ description }) => description.nodeId))}`;
    });
    return [
      {
        severity: protocols.size > 1 ? 'critical' : 'warning',
        seen: shown.join('; '),
        mend: others.map(({ id }) => backplane(evidence, 'node', 'drain', id)),
      },
    ];
  },
};
