import type { Check } from '../check.ts';
import { unread } from '../check.ts';
import { megabytes } from '../cluster-facts.ts';
import { redisCli } from '../paste-command.ts';

/** A server that is full may throw keys away, and ours are all needed. */
export const eviction: Check = {
  code: 'EVICTION',
  title: 'the broker never evicts a key',
  why: 'A full Redis with an eviction policy deletes sessions, leases and logs in silence: nodes lose what they own, and acknowledged ops are gone.',
  remedy: 'Set maxmemory-policy to noeviction; a full server then refuses writes, and says so.',
  look(evidence) {
    const { broker } = evidence;
    if (!broker?.settings) return unread(evidence, 'CONFIG GET');
    const { evictionPolicy, memoryBytesMax } = broker.settings;
    if (evictionPolicy === 'noeviction') return [];
    const evicted = broker.state?.evictedKeys ?? 0;
    const limit =
      memoryBytesMax === 0
        ? 'no maxmemory is set yet'
        : `maxmemory is ${megabytes(memoryBytesMax)}`;
    return [
      {
        severity: memoryBytesMax === 0 && evicted === 0 ? 'warning' : 'critical',
        seen: `maxmemory-policy is ${evictionPolicy}; ${limit}; ${evicted} keys were evicted so far`,
        mend: [redisCli(evidence, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction')],
      },
    ];
  },
};
