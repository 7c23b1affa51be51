import { dials } from '../../foundation/limits.ts';
import type { SessionRecord } from '../../ports/sessions.ts';
import type { NodeDials } from '../../runtime/node-settings.ts';
import { type NodeState, stateOf } from '../inspect/list-nodes.ts';
import type { Evidence, NodeAnswer } from './evidence.ts';

/** Facts that several checks need, read from the evidence in one way. */
export function liveSessions({ sessions }: Evidence): SessionRecord[] {
  return sessions.filter(({ state }) => state === 'live');
}

/** The dials of the cluster, as a node told them; ours where none did. */
export function clusterDials(evidence: Evidence): NodeDials {
  return reports(evidence)[0]?.report.dials ?? dials;
}

export function reports({ nodes }: Evidence) {
  return nodes.filter(
    (node): node is NodeAnswer & { report: NonNullable<NodeAnswer['report']> } => {
      return node.report !== null;
    },
  );
}

export function standing(evidence: Evidence, record: SessionRecord): NodeState {
  return stateOf(record, clusterDials(evidence).heartbeatMs);
}

/** True when ops are kept in the Redis that was examined. */
export function storeIsBroker({ cluster, target, broker }: Evidence): boolean {
  if (cluster) return cluster.storeIdentity.startsWith('redis:');
  return broker !== null && (target.store === null || target.store === 'redis:');
}

export function namesOf(names: readonly string[], max = 5): string {
  const shown = names.slice(0, max).join(', ');
  return names.length > max ? `${shown} and ${names.length - max} more` : shown;
}

/** `12 MB`, as people say it. */
export function megabytes(bytes: number): string {
  return bytes >= 1_048_576
    ? `${Math.round(bytes / 104_857.6) / 10} MiB`
    : `${Math.round(bytes / 1024)} KiB`;
}

/** What most have, and who has something else. */
export function minority<Row>(rows: readonly Row[], keyOf: (row: Row) => string) {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
  const ordered = [...groups].sort(([, a], [, b]) => b.length - a.length);
  const [most, ...others] = ordered;
  return { most: most ?? null, others: others.flatMap(([, each]) => each), groups: ordered };
}
