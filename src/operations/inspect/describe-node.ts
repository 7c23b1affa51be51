import { BackplaneError } from '../../foundation/errors.ts';
import type { Sessions } from '../../ports/sessions.ts';
import { type NodeReport, reportNodes } from './list-nodes.ts';

/** A node by name: its present session, and the other sessions that are still remembered. */
export interface NodeDescription extends NodeReport {
  readonly others: readonly NodeReport[];
}

/** One node by its nodeId or session id. Writes nothing. Throws NODE_UNKNOWN. */
export async function describeNode(
  sessions: Sessions,
  name: string,
  heartbeatMs?: number,
): Promise<NodeDescription> {
  const reports = reportNodes(await sessions.list(), heartbeatMs);
  const chosen =
    reports.find((node) => node.session === name) ??
    reports.filter((node) => node.nodeId === name).sort(byLife)[0];
  if (!chosen) {
    throw new BackplaneError('NODE_UNKNOWN', `no node is called "${name}"`, {
      facts: { node: name },
    });
  }
  const others = reports
    .filter((node) => node.nodeId === chosen.nodeId && node.session !== chosen.session)
    .sort(byLife);
  return { ...chosen, others };
}

function byLife(a: NodeReport, b: NodeReport): number {
  const dead = Number(a.state === 'dead') - Number(b.state === 'dead');
  return dead || a.lastBeatAgoMs - b.lastBeatAgoMs;
}
