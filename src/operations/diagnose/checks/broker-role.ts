import type { Check } from '../check.ts';
import { unread } from '../check.ts';
import { redisCli } from '../paste-command.ts';

/** A replica takes no writes, so no node can live on it. */
export const brokerRole: Check = {
  code: 'REPLICA',
  title: 'the broker is a primary, and takes writes',
  why: 'A replica refuses every heartbeat and every op; nodes connected to it lose their sessions.',
  remedy: 'Use the URL of the primary, or make this one the primary.',
  look(evidence) {
    const { broker } = evidence;
    if (!broker?.state) return unread(evidence, 'INFO');
    if (broker.state.role === 'primary') return [];
    return [
      {
        severity: 'critical',
        seen: 'the broker is a replica: it takes no writes',
        mend: [redisCli(evidence, 'REPLICAOF', 'NO', 'ONE')],
      },
    ];
  },
};
