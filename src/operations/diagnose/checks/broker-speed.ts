import { formatDuration } from '../../../foundation/duration.ts';
import type { Check } from '../check.ts';
import { unread } from '../check.ts';
import { redisCli } from '../paste-command.ts';

const slowMs = 50;
const unusableMs = 1_000;

/** Every op, request and heartbeat is a few round trips to the broker. */
export const brokerSpeed: Check = {
  code: 'BROKER-SLOW',
  title: 'the broker answers quickly',
  why: 'Every op, request and heartbeat waits for the broker; a renewal that takes longer than 2s counts as failed.',
  remedy: 'See what keeps it busy (SLOWLOG GET), or move the nodes nearer to it.',
  look(evidence) {
    const { broker } = evidence;
    if (!broker) return unread(evidence, 'PING');
    const { roundTripMs } = broker;
    if (roundTripMs < slowMs) return [];
    return [
      {
        severity: roundTripMs < unusableMs ? 'warning' : 'critical',
        seen: `a round trip to the broker takes ${formatDuration(roundTripMs)}`,
        mend: [redisCli(evidence, 'SLOWLOG', 'GET', '10'), redisCli(evidence, '--latency-history')],
      },
    ];
  },
};
