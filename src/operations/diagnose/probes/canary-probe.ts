import { withDeadline } from '../../../runtime/with-deadline.ts';
import type { Probe } from '../probe.ts';

const patienceMs = 10_000;
export const canaryDocument = 'backplane-canary';

/** The whole way of an op, from a peer to a peer. */
export const canaryProbe: Probe = {
  name: 'canary',
  summary: 'send an op, and measure until it is delivered',
  description:
    'Writes an op to the document backplane-canary, and waits until a follower has it: router, owner, store and bus in one number. The only check that writes.',
  ...{ unit: 'ms', worse: 'more', warn: 500, critical: 5_000, impact: 'rw', unanswered: 'unknown' },
  async measure({ visitor, clock, token, options }) {
    const door = await visitor();
    const peer = `canary-${token()}`;
    const delivered = Promise.withResolvers<void>();
    // Whoever waits has a deadline of its own.
    delivered.promise.catch(() => {});
    const following = await door.follow(canaryDocument, 'now', {
      ops: (ops) => {
        if (ops.some((op) => op.peer === peer)) delivered.resolve();
      },
      failed: (error) => delivered.reject(error),
    });
    try {
      const startedMs = clock.monotonicMs();
      const payload = Buffer.from('{}');
      const receipt = await door.submit(canaryDocument, { peer, counter: 1, payload }, options);
      await withDeadline(clock, patienceMs, delivered.promise);
      const value = clock.monotonicMs() - startedMs;
      return { value, detail: `op ${receipt.seq} went through ${receipt.nodeId}` };
    } finally {
      await following.close();
    }
  },
};
