import { invariant } from '../../../foundation/assert.ts';
import { BackplaneError } from '../../../foundation/errors.ts';
import type { DrillNode } from '../drill-cluster.ts';
import type { FaultSite } from '../fault.ts';

export interface TargetNode {
  readonly node: DrillNode;
  /** Of the process that the fault is done to: a later one of the same node knows nothing of it. */
  readonly pid: number;
}

/** The node that a fault is done to. It must run: what is not there cannot be broken. */
export function targetNode({ node }: FaultSite): TargetNode {
  invariant(node !== null, 'a fault of a node is injected into a node');
  if (node.pid !== null) return { node, pid: node.pid };
  throw new BackplaneError('INCONCLUSIVE', `${node.nodeId} does not run`, {
    remedy: 'let the fault before it end first, or name another node',
  });
}
