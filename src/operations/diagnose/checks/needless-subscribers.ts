import { readChannelName } from '../../../runtime/channels.ts';
import type { Check, Sight } from '../check.ts';
import { liveSessions } from '../cluster-facts.ts';
import type { Evidence } from '../evidence.ts';
import { redisCli } from '../paste-command.ts';

/** Who listens where nobody should: a process that was given up, or one that is none of ours. */
export const needlessSubscribers: Check = {
  code: 'NEEDLESS-SUBSCRIBER',
  title: 'nobody listens who should not',
  why: 'A second listener on an inbox hides a dead node, because its requests seem to be received. A process that was given up and still listens has not noticed yet, or cannot.',
  remedy:
    'Cut its connection (CLIENT KILL), and end the process. A node that was given up notices by itself once it runs again.',
  look(evidence) {
    const live = new Map(
      liveSessions(evidence).map(({ id, description }) => [id, description.nodeId]),
    );
    const dead = new Map(evidence.sessions.map(({ id, description }) => [id, description.nodeId]));
    return evidence.channels.rows.flatMap(({ channel, receivers }): Sight[] => {
      const { kind, subject } = readChannelName(channel);
      if (kind !== 'inbox' || subject.startsWith('visitor-')) return [];
      if (live.has(subject)) {
        if (receivers < 2) return [];
        const seen = `${receivers} listen on the inbox of ${live.get(subject)}`;
        return [{ severity: 'warning', seen, ...cutOff(evidence) }];
      }
      if (!dead.has(subject)) return [];
      const seen = `${dead.get(subject)} was given up for dead, and still listens as ${subject}`;
      return [{ severity: 'warning', seen, ...cutOff(evidence) }];
    });
  },
};

/** Redis does not tell who subscribed to what: who is none of ours first, else all, who come back. */
function cutOff(evidence: Evidence): Pick<Sight, 'mend' | 'advice'> {
  const strangers = (evidence.broker?.clients ?? []).filter(
    ({ name, subscriptions }) => subscriptions > 0 && !name.startsWith('backplane-'),
  );
  if (strangers.length > 0) {
    return {
      mend: strangers.slice(0, 5).map(({ id }) => redisCli(evidence, 'CLIENT', 'KILL', 'ID', id)),
      advice: 'End the program that subscribed; it has nothing to look for on an inbox.',
    };
  }
  return {
    mend: [redisCli(evidence, 'CLIENT', 'KILL', 'TYPE', 'pubsub')],
    advice:
      'Nodes that live subscribe again within a second and catch up. End the process that was given up, or let it go on: it notices.',
  };
}
