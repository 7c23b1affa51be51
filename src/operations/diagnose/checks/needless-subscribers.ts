import { readChannelName } from '../../../runtime/channels.ts';
import type { Check, Sight } from '../check.ts';
import { liveSessions } from '../cluster-facts.ts';
import { backplane, redisCli } from '../paste-command.ts';

/** Who listens where nobody should: a process that was given up, or one that is none of ours. */
export const needlessSubscribers: Check = {
  code: 'NEEDLESS-SUBSCRIBER',
  title: 'nobody listens who should not',
  why: 'A second listener on an inbox hides a dead node, because its requests seem to be received. A process that was given up and still listens has not noticed yet, or cannot.',
  remedy: 'Find the process by its connection (CLIENT LIST), and end it.',
  look(evidence) {
    const live = new Map(
      liveSessions(evidence).map(({ id, description }) => [id, description.nodeId]),
    );
    const dead = new Map(evidence.sessions.map(({ id, description }) => [id, description.nodeId]));
    return evidence.channels.rows.flatMap(({ channel, receivers }): Sight[] => {
      const { kind, subject } = readChannelName(channel);
      if (kind !== 'inbox' || subject.startsWith('visitor-')) return [];
      const list = redisCli(evidence, 'CLIENT', 'LIST', 'TYPE', 'pubsub');
      if (live.has(subject)) {
        if (receivers < 2) return [];
        const seen = `${receivers} listen on the inbox of ${live.get(subject)}`;
        return [{ severity: 'warning', seen, mend: [list] }];
      }
      if (!dead.has(subject)) return [];
      return [
        {
          severity: 'warning',
          seen: `${dead.get(subject)} was given up for dead, and still listens as ${subject}`,
          mend: [backplane(evidence, 'inspect', 'reachability'), list],
        },
      ];
    });
  },
};
