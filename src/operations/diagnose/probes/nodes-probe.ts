import { listNodes } from '../../inspect/list-nodes.ts';
import { presentNodes } from '../../inspect/missing-nodes.ts';
import { namesOf } from '../cluster-facts.ts';
import type { Probe } from '../probe.ts';

/** How many nodes serve. */
export const nodesProbe: Probe = {
  name: 'nodes',
  summary: 'count the nodes that serve',
  description:
    'Counts the nodes that are neither dead nor silent. Fewer is worse: --warn 2 warns at two. Critical when one is silent or deaf, whatever the number.',
  ...{ unit: '', worse: 'less', warn: 0, critical: 0, impact: 'ro', unanswered: 'unknown' },
  async measure({ engine }) {
    const nodes = await listNodes((await engine()).sessions);
    const ill = nodes.filter(({ state }) => state === 'silent' || state === 'deaf');
    const there = presentNodes(nodes);
    const trouble = ill.map(({ nodeId, state }) => `${nodeId} is ${state}`);
    const detail = [there.length === 0 ? 'no node' : namesOf(there, 10), ...trouble].join('; ');
    return { value: there.length, detail, failed: ill.length > 0 };
  },
};
