import type { Check } from '../check.ts';
import { liveSessions } from '../cluster-facts.ts';
import { backplane } from '../paste-command.ts';

/** Without a live node nobody serves anything. */
export const nodesThere: Check = {
  code: 'NO-NODES',
  title: 'there is a node',
  why: 'Only nodes order and store ops: without one every request fails, and nobody clears what dead ones left.',
  remedy: 'Start one with backplane serve.',
  look(evidence) {
    if (evidence.refusal || liveSessions(evidence).length > 0) return [];
    const remembered = evidence.sessions.length;
    return [
      {
        severity: 'critical',
        seen:
          evidence.cluster === null
            ? `no node ever joined a cluster under the prefix ${evidence.target.prefix}`
            : `no node is alive; ${remembered} dead ones are remembered`,
        mend: [backplane(evidence, 'serve')],
      },
    ];
  },
};
