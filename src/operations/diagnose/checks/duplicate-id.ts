import type { Check } from '../check.ts';
import { liveSessions } from '../cluster-facts.ts';
import { backplane } from '../paste-command.ts';

/** Two processes were started with one name. */
export const duplicateId: Check = {
  code: 'DUPLICATE-ID',
  title: 'every node id is used once',
  why: 'Two processes with one id do each other no harm here, but nobody can name one of them: drain, evict and rpc refuse, logs and metrics of the two are mixed up.',
  remedy: 'Drain the younger one by its session, and start it with an id of its own.',
  look(evidence) {
    const byId = Map.groupBy(liveSessions(evidence), ({ description }) => description.nodeId);
    return [...byId].flatMap(([nodeId, sessions]) => {
      if (sessions.length < 2) return [];
      const [oldest, ...younger] = sessions.sort((a, b) => {
        return a.description.startedAt < b.description.startedAt ? -1 : 1;
      });
      const pids = sessions.map(({ description }) => description.pid).join(', ');
      return [
        {
          severity: 'warning' as const,
          seen: `${sessions.length} live nodes are called ${nodeId} (processes ${pids}); the oldest is ${oldest?.id}`,
          mend: younger.map(({ id }) => backplane(evidence, 'node', 'drain', id)),
        },
      ];
    });
  },
};
