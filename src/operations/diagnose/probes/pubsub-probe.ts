import { inboxChannel } from '../../../runtime/channels.ts';
import { withDeadline } from '../../../runtime/with-deadline.ts';
import type { Probe } from '../probe.ts';

const patienceMs = 5_000;

/** Whether what is published is heard: a broker can answer and deliver nothing. */
export const pubsubProbe: Probe = {
  name: 'pubsub',
  summary: 'measure from publishing to hearing',
  description:
    'Publishes to a channel of its own, and waits until it hears it. No node has to do with it.',
  ...{ unit: 'ms', worse: 'more', warn: 50, critical: 500, impact: 'ro', unanswered: 'unknown' },
  async measure({ engine, clock, token }) {
    const { bus } = await engine();
    const heard = Promise.withResolvers<void>();
    // As a visitor's inbox, so that nobody takes it for something else.
    const channel = inboxChannel(`visitor-check-${token()}`);
    const subscription = await bus.subscribe(channel, () => heard.resolve());
    try {
      const startedMs = clock.monotonicMs();
      const receivers = await bus.publish(channel, Buffer.from('check'));
      if (receivers === 0)
        return { value: null, detail: 'the broker delivered to nobody', failed: true };
      await withDeadline(clock, patienceMs, heard.promise);
      return { value: clock.monotonicMs() - startedMs, detail: 'published and heard' };
    } finally {
      await subscription.close().catch(() => {});
    }
  },
};
