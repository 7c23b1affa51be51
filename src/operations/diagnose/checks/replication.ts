import type { Check } from '../check.ts';
import { unread } from '../check.ts';
import { storeIsBroker } from '../cluster-facts.ts';
import { redisCli } from '../paste-command.ts';

/** Replication is asynchronous: a failover forgets what no replica had. */
export const replication: Check = {
  code: 'REPLICATION',
  title: 'a failover of the store loses nothing that was acknowledged',
  why: 'Redis acknowledges before its replicas have an op. Fail over to one that is behind, and the log is rewound; documents are then quarantined with BP-LOG-REWOUND.',
  remedy:
    'Set min-replicas-to-write to 1, so that a primary without a replica in touch takes no writes. It narrows the gap; it does not close it.',
  look(evidence) {
    if (!storeIsBroker(evidence)) return [];
    const { broker } = evidence;
    if (!broker?.settings || !broker.state) {
      return unread(evidence, broker?.settings ? 'INFO' : 'CONFIG GET');
    }
    const { replicas } = broker.state;
    const { replicasToWriteMin } = broker.settings;
    if (replicasToWriteMin > replicas) {
      return [
        {
          severity: 'critical',
          seen: `${replicas} replicas are in touch, and ${replicasToWriteMin} are needed: no write is taken`,
          mend: [redisCli(evidence, 'CONFIG', 'SET', 'min-replicas-to-write', String(replicas))],
        },
      ];
    }
    if (replicas === 0 || replicasToWriteMin > 0) return [];
    return [
      {
        severity: 'warning',
        seen: `there are ${replicas} replicas, and the primary goes on without any of them`,
        mend: [redisCli(evidence, 'CONFIG', 'SET', 'min-replicas-to-write', '1')],
      },
    ];
  },
};
