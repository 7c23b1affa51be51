import { formatDuration } from '../../../foundation/duration.ts';
import type { SlowCommand } from '../../../ports/examination.ts';
import type { Check } from '../check.ts';
import { unread } from '../check.ts';
import { redisCli } from '../paste-command.ts';

const slowMs = 50;
const unusableMs = 1_000;
const lately = 60_000;

/** Every op, request and heartbeat is a few round trips to the broker. */
export const brokerSpeed: Check = {
  code: 'BROKER-SLOW',
  title: 'the broker answers quickly',
  why: 'Every op, request and heartbeat waits for the broker; a renewal that takes longer than 2s counts as failed.',
  remedy:
    'Cut off whoever keeps it busy (SLOWLOG GET), and keep slow commands away from it; or move the nodes nearer to it.',
  look(evidence) {
    const { broker } = evidence;
    if (!broker) return unread(evidence, 'PING');
    const { roundTripMs } = broker;
    if (roundTripMs < slowMs) return [];
    const severity = roundTripMs < unusableMs ? 'warning' : 'critical';
    const seen = `a round trip to the broker takes ${formatDuration(roundTripMs)}`;
    const culprits = busyStrangers(broker.slow ?? []);
    const [worst] = culprits;
    if (worst) {
      const who = `${worst.command} of ${worst.client || 'a client'} at ${worst.address}`;
      return [
        {
          severity,
          seen: `${seen}; ${who} held it up for ${formatDuration(worst.tookMs)}`,
          mend: culprits.map(({ address }) =>
            redisCli(evidence, 'CLIENT', 'KILL', 'ADDR', address),
          ),
          advice:
            'Stop the program that sends it, or give it a Redis of its own: it may come back.',
        },
      ];
    }
    return [
      {
        severity,
        seen: `${seen}, and no command of others holds it up`,
        mend: [redisCli(evidence, 'INFO', 'commandstats')],
        advice:
          'What is slow is the way there, or its processor: run nodes and commands nearer to it, or give it a processor that is not shared.',
      },
    ];
  },
};

/** One of each connection that is not ours, the slowest first. */
function busyStrangers(slow: readonly SlowCommand[]): SlowCommand[] {
  const recent = slow.filter(({ tookMs, agoMs, client, address }) => {
    return (
      tookMs >= slowMs / 2 && agoMs < lately && address !== '' && !client.startsWith('backplane-')
    );
  });
  const byAddress = Map.groupBy(recent, ({ address }) => address);
  return [...byAddress.values()].flatMap(([first]) => first ?? []).slice(0, 5);
}
