import { limits } from '../../../foundation/limits.ts';
import type { Check } from '../check.ts';
import { unread } from '../check.ts';
import { megabytes } from '../cluster-facts.ts';
import { redisCli } from '../paste-command.ts';

/** A few of the largest frames must fit, or the server cuts a healthy subscriber. */
export const outputBuffer: Check = {
  code: 'OUTPUT-BUFFER',
  title: 'a subscriber may have a few of the largest frames waiting',
  why: 'Redis cuts a subscriber whose output buffer is full. If one batch of frames fills it, nodes are cut again and again, and replay their logs each time.',
  remedy: 'Raise the pubsub part of client-output-buffer-limit.',
  look(evidence) {
    const { broker } = evidence;
    if (!broker?.settings) return unread(evidence, 'CONFIG GET');
    const { subscriberBytesMax: hard, subscriberBytesSoft: soft } = broker.settings;
    const smallest = Math.min(
      ...[hard, soft].filter((bytes) => bytes > 0),
      Number.POSITIVE_INFINITY,
    );
    const batch = limits.batchBytesMax;
    if (smallest >= 2 * batch) return [];
    const wanted = 'pubsub 33554432 8388608 60';
    return [
      {
        severity: smallest < limits.frameBytesMax ? 'critical' : 'warning',
        seen: `a subscriber is cut with ${megabytes(smallest)} waiting; one batch can have ${megabytes(batch)}`,
        mend: [redisCli(evidence, 'CONFIG', 'SET', 'client-output-buffer-limit', wanted)],
      },
    ];
  },
};
