import { formatDuration } from '../../../foundation/duration.ts';
import type { NodeSelfReport } from '../../../runtime/health/self-report.ts';
import type { Check } from '../check.ts';
import { liveSessions, minority, namesOf, reports } from '../cluster-facts.ts';
import { backplane } from '../paste-command.ts';

/** Nodes of one cluster with different dials disagree on who is dead. */
export const nodeSettingsDiffer: Check = {
  code: 'SETTINGS',
  title: 'every node has the same settings',
  why: 'Nodes with another heartbeat or node timeout give each other up too early, or too late; failover takes as long as the slowest of them allows.',
  remedy: 'Drain the nodes that differ, and start them with the settings of the others.',
  look(evidence) {
    const live = liveSessions(evidence);
    const { others } = minority(live, ({ description }) => description.configHash);
    if (others.length === 0) return [];
    const names = others.map(({ description }) => description.nodeId);
    const differing = differences(reports(evidence).map(({ report }) => report));
    const which = differing.length > 0 ? `: ${differing.join('; ')}` : '';
    return [
      {
        severity: 'warning',
        seen: `${namesOf(names)} ${names.length === 1 ? 'has' : 'have'} other settings than the rest${which}`,
        mend: others.map(({ id }) => backplane(evidence, 'node', 'drain', id)),
      },
    ];
  },
};

/** `heartbeat 5s on web-1, 2s on web-2`, for each dial that is not the same everywhere. */
function differences(told: readonly NodeSelfReport[]): string[] {
  const names = Object.keys(told[0]?.dials ?? {}) as (keyof NodeSelfReport['dials'])[];
  return names.flatMap((name) => {
    const values = new Set(told.map(({ dials }) => dials[name]));
    if (values.size < 2) return [];
    const each = told.map(({ nodeId, dials }) => `${shown(name, dials[name])} on ${nodeId}`);
    return [`${name.replace(/Ms$/, '')} is ${namesOf(each)}`];
  });
}

function shown(name: string, value: number): string {
  return name.endsWith('Ms') ? formatDuration(value) : String(value);
}
