import * as v from 'valibot';
import { formatDuration } from '../../../foundation/duration.ts';
import { BackplaneError } from '../../../foundation/errors.ts';
import type { DrillCluster } from '../drill-cluster.ts';
import type { FaultKind } from '../fault.ts';
import { durationMs } from '../scenario-values.ts';
import { once } from './once.ts';

const restartParameters = v.strictObject({
  /** Whether it comes back with what it had on disk, or with nothing. */
  keepData: v.optional(v.boolean('write keepData as true or false'), true),
});
const failOverParameters = v.strictObject({
  /** How long the replica hears nothing from its primary before that dies. */
  lag: v.optional(durationMs, '0ms'),
});
const nothing = v.strictObject({});

/** The broker dies, stays away for as long as the fault is held, and comes back. */
export const brokerRestartFault: FaultKind<typeof restartParameters> = {
  name: 'broker-restart',
  summary: 'end the broker with SIGKILL, and start it again with its data or with none',
  on: 'broker',
  recoveryFrom: 'end',
  endsNode: false,
  parameters: restartParameters,
  unfit(cluster, { keepData } = v.parse(restartParameters, {})) {
    if (keepData) {
      return cluster.broker.volatile ? 'this broker keeps nothing over a restart' : null;
    }
    return loses(cluster, 'an emptied broker');
  },
  async inject({ cluster: { broker } }, { keepData }) {
    const port = broker.port();
    await broker.kill();
    return {
      async evidence() {
        if (await answers(broker)) return null;
        return `the broker was ended by SIGKILL, and nobody answers on port ${port}`;
      },
      revert: once(() => broker.start({ keepData })),
    };
  },
};

/** The broker hangs: connections stand, and nothing answers. */
export const brokerPauseFault: FaultKind<typeof nothing> = {
  name: 'broker-pause',
  summary: 'stop the process of the broker with SIGSTOP, and let it go on afterwards',
  on: 'broker',
  recoveryFrom: 'end',
  endsNode: false,
  parameters: nothing,
  unfit: () => null,
  async inject({ cluster: { broker }, clock }) {
    const sinceMs = clock.monotonicMs();
    broker.pause();
    let hasAnswered = false;
    void answers(broker).then((is) => {
      hasAnswered ||= is;
    });
    return {
      async evidence() {
        const pausedMs = clock.monotonicMs() - sinceMs;
        return hasAnswered ? null : `the broker answered nothing for ${formatDuration(pausedMs)}`;
      },
      revert: once(async () => broker.resume()),
    };
  },
};

/**
 * The primary dies; the replica takes its place when the fault is taken back, as after the time it
 * takes a Sentinel to agree. With a lag it is the broker of a moment ago: what was written since
 * then is lost.
 */
export const brokerFailoverFault: FaultKind<typeof failOverParameters> = {
  name: 'broker-failover',
  summary: 'end the primary of a pair with SIGKILL, and put its replica in its place',
  on: 'broker',
  recoveryFrom: 'end',
  endsNode: false,
  parameters: failOverParameters,
  unfit(cluster, { lag } = v.parse(failOverParameters, {})) {
    if (cluster.broker.failOver === null) return 'the broker has no replica';
    return lag > 0 ? loses(cluster, 'a replica that lags') : null;
  },
  async inject({ cluster: { broker } }, { lag }) {
    const { failOver } = broker;
    if (failOver === null) throw new BackplaneError('INCONCLUSIVE', 'the broker has no replica');
    const port = broker.port();
    const lackedBytes = await failOver.losePrimary(lag);
    return {
      async evidence() {
        // Nothing was written meanwhile: this was a failover without the lag that was asked for.
        if (lag > 0 && lackedBytes === 0) return null;
        const has = lackedBytes === 0 ? 'all' : `all but the last ${lackedBytes} bytes`;
        return `the primary on port ${port} was ended by SIGKILL; its replica has ${has} of its writes`;
      },
      revert: once(() => failOver.promote()),
    };
  },
};

/** What the store itself loses cannot be held against those who wrote to it. */
function loses({ store }: DrillCluster, what: string): string | null {
  return store.kind === 'redis' ? `the store is in the broker, and ${what} has lost ops` : null;
}

function answers(broker: DrillCluster['broker']): Promise<boolean> {
  return broker.command('PING').then(
    () => true,
    () => false,
  );
}
