import { formatDuration } from '../../../foundation/duration.ts';
import type { Check } from '../check.ts';
import { unread } from '../check.ts';
import { clusterDials } from '../cluster-facts.ts';
import { redisCli } from '../paste-command.ts';

/** Redis can hang up on who says nothing for a while; a node says something at every beat. */
export const idleTimeout: Check = {
  code: 'IDLE-TIMEOUT',
  title: 'the broker does not hang up on quiet nodes',
  why: 'Redis closes connections that are idle for its timeout. A node beats in between only if the timeout is longer than its heartbeat.',
  remedy: 'Set timeout to 0.',
  look(evidence) {
    const { broker } = evidence;
    if (!broker?.settings) return unread(evidence, 'CONFIG GET');
    const { idleTimeoutMs } = broker.settings;
    const { heartbeatMs } = clusterDials(evidence);
    if (idleTimeoutMs === 0 || idleTimeoutMs > 2 * heartbeatMs) return [];
    return [
      {
        severity: 'warning',
        seen: `the broker hangs up after ${formatDuration(idleTimeoutMs)}; nodes beat every ${formatDuration(heartbeatMs)}`,
        mend: [redisCli(evidence, 'CONFIG', 'SET', 'timeout', '0')],
      },
    ];
  },
};
