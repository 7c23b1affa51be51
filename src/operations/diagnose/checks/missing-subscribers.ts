import { documentChannel } from '../../../runtime/channels.ts';
import type { Check, Sight } from '../check.ts';
import { liveSessions, reports } from '../cluster-facts.ts';
import { backplane } from '../paste-command.ts';

/** A node with peers on a document must hear its channel. */
export const missingSubscribers: Check = {
  code: 'MISSING-SUBSCRIBER',
  title: 'wherever a document has peers, its channel is heard',
  why: 'A peer on a node that does not hear the channel sees edits only when the log is looked at, seconds late: "edits do not reach the other client".',
  remedy:
    'Evict the node with --force: it makes its connections anew, and subscribes to everything again.',
  look(evidence) {
    if (evidence.channels.truncated)
      return { skipped: 'there are more channels than were counted' };
    const counts = new Map(
      evidence.channels.rows.map(({ channel, receivers }) => [channel, receivers]),
    );
    const following = new Map<string, string[]>();
    for (const { session, report } of reports(evidence)) {
      for (const { doc } of report.followed)
        following.set(doc, [...(following.get(doc) ?? []), session]);
    }
    const names = new Map(
      liveSessions(evidence).map(({ id, description }) => [id, description.nodeId]),
    );
    return [...following].flatMap(([doc, sessions]): Sight[] => {
      const receivers = counts.get(documentChannel(doc)) ?? 0;
      if (receivers >= sessions.length) return [];
      const who = sessions.map((id) => names.get(id) ?? id).join(', ');
      return [
        {
          severity: 'critical',
          seen: `${sessions.length} nodes have peers on ${doc} (${who}), and ${receivers} hear its channel`,
          mend: sessions.map((id) => backplane(evidence, 'node', 'evict', id, '--force')),
        },
      ];
    });
  },
};
