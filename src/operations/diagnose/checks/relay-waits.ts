import type { Check, Sight } from '../check.ts';
import { namesOf, reports } from '../cluster-facts.ts';
import { backplane } from '../paste-command.ts';

/** Browsers without their daemon, frames that were given up, and redirects nobody may follow. */
export const relayWaits: Check = {
  code: 'RELAY',
  title: 'every browser in a workspace has its daemon, and loses nothing',
  why: 'Browsers without a daemon are told that it is unavailable. Frames are dropped where a client asked for it and cannot keep up. A refused redirect costs a hop between nodes for every frame.',
  remedy:
    'Start the daemon of the workspace. Allow the host of a public URL with --redirect-allow, the same on every node.',
  look(evidence) {
    const rows = evidence.workspaces.rows;
    const waiting = rows.filter(({ nodeId, browsers }) => nodeId === null && browsers > 0);
    const dropping = rows.filter(({ dropped }) => dropped > 0);
    const refusing = reports(evidence).filter(({ report }) => {
      return (report.metrics.counters.relay_redirects_refused_total ?? 0) > 0;
    });
    const names = (of: typeof rows) => namesOf(of.map(({ workspace }) => workspace));
    const sights: Sight[] = [];
    if (waiting.length > 0) {
      const browsers = waiting.reduce((sum, row) => sum + row.browsers, 0);
      sights.push({
        severity: 'note',
        seen: `${browsers} browsers wait for a daemon: ${names(waiting)}`,
        mend: waiting
          .slice(0, 3)
          .map(({ workspace }) => backplane(evidence, 'inspect', 'relay', workspace)),
        advice: 'Start the daemon of the workspace; its browsers are told at once.',
      });
    }
    if (dropping.length > 0) {
      sights.push({
        severity: 'note',
        seen: `clients dropped frames, as they were told to, in ${names(dropping)}`,
        mend: [backplane(evidence, 'inspect', 'relay', '--sort', '-dropped')],
      });
    }
    for (const { nodeId, session, report } of refusing) {
      const count = report.metrics.counters.relay_redirects_refused_total;
      sights.push({
        severity: 'warning',
        seen: `${nodeId} refused ${count} redirects to a host that it does not allow, and forwards instead`,
        mend: [backplane(evidence, 'node', 'drain', session)],
        advice:
          'Start it again with --redirect-allow and the host of the public URLs, the same on every node.',
      });
    }
    return sights;
  },
};
