import type { ReadinessCheck } from '../../../runtime/node.ts';
import type { Check } from '../check.ts';
import { reports } from '../cluster-facts.ts';
import { backplane } from '../paste-command.ts';

/** What a node itself tried just now, and what failed. */
export const notReady: Check = {
  code: 'NOT-READY',
  title: 'every node reaches its broker and its store',
  why: 'A node that cannot write to its store, or cannot prove its session, refuses every op of its documents.',
  remedy: 'See what failed; drain the node if it is the only one with the trouble.',
  look(evidence) {
    return reports(evidence).flatMap(({ nodeId, report }) => {
      const failed = report.readiness?.checks.filter(isTheNodes) ?? [];
      return failed.map(({ name, detail }) => ({
        severity: 'critical' as const,
        seen: `${nodeId}: ${name}: ${detail}`,
        mend: [backplane(evidence, 'node', 'drain', nodeId)],
      }));
    });
  },
};

/** A cache that is cut off has a check of its own. */
function isTheNodes({ ok, name }: ReadinessCheck): boolean {
  return !ok && name !== 'cache';
}
