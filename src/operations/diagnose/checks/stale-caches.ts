import { formatDuration } from '../../../foundation/duration.ts';
import type { CacheRegionReport } from '../../../runtime/cache/cache.ts';
import type { Check, Sight } from '../check.ts';
import { minority, namesOf } from '../cluster-facts.ts';
import type { Evidence } from '../evidence.ts';
import { backplane } from '../paste-command.ts';

/** A cache that cannot prove that it missed no eviction is slow, refuses, or serves what was. */
export const staleCaches: Check = {
  code: 'CACHE',
  title: 'every cache can prove that it missed no eviction',
  why: 'Without that proof a region loads every value again, refuses, or goes on with old ones, as its application chose. Nodes with other settings for one region behave differently for the same user.',
  remedy:
    'See why its node does not reach the broker. Give a region the same settings in every node of the application.',
  look(evidence) {
    const { rows } = evidence.caches;
    const regions = Map.groupBy(rows, ({ region }) => region);
    return [
      ...rows.filter(({ state }) => state === 'cut').map((row) => cutSight(evidence, row)),
      ...[...regions].flatMap(([region, each]) => settingsSight(evidence, region, each)),
      ...rows.filter(({ gaps }) => gaps > 0).map((row) => gapSight(evidence, row)),
    ];
  },
};

function cutSight(evidence: Evidence, row: CacheRegionReport): Sight {
  const { region, nodeId, confirmedAgoMs, whenCut, entries } = row;
  const since = confirmedAgoMs === null ? 'never' : `${formatDuration(confirmedAgoMs)} ago`;
  const does = {
    bypass: 'it loads every value again',
    fail: 'it refuses every get',
    serve: `it goes on serving its ${entries} values, old or not`,
  };
  return {
    severity: whenCut === 'bypass' ? 'warning' : 'critical',
    seen: `${region} on ${nodeId} was confirmed ${since}: ${does[whenCut]}`,
    mend: [backplane(evidence, 'explain', `node:${nodeId}`)],
  };
}

function settingsSight(
  evidence: Evidence,
  region: string,
  rows: readonly CacheRegionReport[],
): Sight[] {
  const { most, others } = minority(rows, ({ l2, stalenessMs, whenCut }) =>
    [l2 ? 'shared' : 'not shared', `stale after ${formatDuration(stalenessMs)}`, whenCut].join(
      ', ',
    ),
  );
  if (others.length === 0 || most === null) return [];
  const names = namesOf(others.map(({ nodeId }) => nodeId));
  return [
    {
      severity: 'warning',
      seen: `${region} is set up otherwise on ${names} than on the rest (${most[0]})`,
      mend: [...new Set(others.map(({ nodeId }) => sessionNamed(evidence, nodeId)))].map(
        (session) => backplane(evidence, 'node', 'drain', session),
      ),
      advice:
        'Start it again with the settings of the rest: the application sets them where it makes the region.',
    },
  ];
}

function gapSight(evidence: Evidence, { region, nodeId, gaps }: CacheRegionReport): Sight {
  return {
    severity: 'note',
    seen: `${region} on ${nodeId} missed announcements ${gaps} times, and was emptied each time`,
    mend: [backplane(evidence, 'inspect', 'cache', '--filter', 'gaps>0')],
  };
}

/** The node id, where nobody or more than one has it, or the session, which is certain. */
function sessionNamed({ nodes }: Evidence, nodeId: string): string {
  const named = nodes.filter((node) => node.nodeId === nodeId);
  return (named.length === 1 && named[0]?.session) || nodeId;
}
