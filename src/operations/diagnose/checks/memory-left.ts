import type { Check } from '../check.ts';
import { unread } from '../check.ts';
import { megabytes } from '../cluster-facts.ts';
import { redisCli } from '../paste-command.ts';

const warningShare = 0.8;
const criticalShare = 0.95;

/** At its limit a server refuses every write, heartbeats too. */
export const memoryLeft: Check = {
  code: 'MEMORY',
  title: 'the broker has memory left',
  why: 'At maxmemory Redis refuses every write: ops fail, and sessions cannot be renewed.',
  remedy: 'Raise maxmemory, or make room.',
  look(evidence) {
    const { broker } = evidence;
    if (!broker?.settings || !broker.state) {
      return unread(evidence, broker?.settings ? 'INFO' : 'CONFIG GET');
    }
    const { memoryBytesMax } = broker.settings;
    const { memoryBytes } = broker.state;
    if (memoryBytesMax === 0 || memoryBytes < warningShare * memoryBytesMax) return [];
    const raised = 2 * Math.max(memoryBytesMax, memoryBytes);
    return [
      {
        severity: memoryBytes < criticalShare * memoryBytesMax ? 'warning' : 'critical',
        seen: `${megabytes(memoryBytes)} of ${megabytes(memoryBytesMax)} are used`,
        mend: [redisCli(evidence, 'CONFIG', 'SET', 'maxmemory', String(raised))],
      },
    ];
  },
};
