import { formatDuration } from '../../../foundation/duration.ts';
import type { BrokerClient, BrokerSettings } from '../../../ports/examination.ts';
import type { Check, Sight } from '../check.ts';
import { unread } from '../check.ts';
import { megabytes } from '../cluster-facts.ts';
import { redisCli } from '../paste-command.ts';

const noteworthyBytes = 1_048_576;

/** Who reads slower than it is written to is cut in the end. */
export const slowSubscribers: Check = {
  code: 'SLOW-SUBSCRIBER',
  title: 'every subscriber keeps up',
  why: 'What a subscriber has not read waits in the memory of the broker; at the limit it is cut, and its node replays logs. A process that stands still looks like this.',
  remedy:
    'See why the process does not read. Cutting its connection frees the memory at once, and a node that runs comes back by itself.',
  look(evidence) {
    const { broker } = evidence;
    if (!broker?.clients) return unread(evidence, 'CLIENT LIST');
    const behind = broker.clients.filter((client) => {
      return client.subscriptions > 0 && client.waitingBytes >= noteworthyBytes;
    });
    return behind.map((client): Sight => {
      const cut = broker.settings
        ? whenCut(client, broker.settings)
        : 'when it is cut is not known';
      const share = broker.settings
        ? client.waitingBytes / (broker.settings.subscriberBytesMax || Infinity)
        : 0;
      return {
        severity: share > 0.5 ? 'critical' : 'warning',
        seen: `${client.name || 'a subscriber'} at ${client.address} has ${megabytes(client.waitingBytes)} waiting; ${cut}`,
        mend: [redisCli(evidence, 'CLIENT', 'KILL', 'ID', client.id)],
      };
    });
  },
};

function whenCut(client: BrokerClient, settings: BrokerSettings): string {
  const { subscriberBytesMax: hard, subscriberBytesSoft: soft, subscriberSoftMs } = settings;
  if (soft > 0 && client.waitingBytes > soft) {
    return `it will be cut within ${formatDuration(subscriberSoftMs)}`;
  }
  if (hard === 0) return 'it is never cut, and the memory of the broker fills up';
  if (client.growthPerSecond <= 0) return `it is cut at ${megabytes(hard)}, and does not grow now`;
  const leftMs = ((hard - client.waitingBytes) / client.growthPerSecond) * 1_000;
  return `it will be cut in ${formatDuration(Math.max(0, leftMs))}`;
}
