import * as v from 'valibot';
import { BackplaneError, isBackplaneError } from '../../../foundation/errors.ts';
import { type Clock, sleep } from '../../../ports/clock.ts';
import type { DrillBroker, DrillNode } from '../drill-cluster.ts';
import type { ActiveFault, FaultKind, FaultSite } from '../fault.ts';
import { type FileQuota, giveNoRoom, noQuotaBecause } from './file-quota.ts';
import { holdWriteLock } from './held-write-lock.ts';
import { once } from './once.ts';
import { refusedCommands } from './refused-commands.ts';
import { storeTrouble } from './store-check.ts';

const nothing = v.strictObject({});
const setting = 'min-replicas-to-write';
/** More than anybody has. */
const replicasNobodyHas = '1000';
const restoreTimeoutMs = 10_000;
const restorePauseMs = 200;

/**
 * The store takes no writes, and still reads. A SQLite file is locked by another program: writes
 * wait, then fail. A Redis wants more replicas than it has: every write fails at once, those of
 * the broker's own records, too, when it is the same Redis; so nodes lose their sessions.
 */
export const storeRefuseFault: FaultKind<typeof nothing> = {
  name: 'store-refuse',
  summary: 'make the store refuse every write',
  on: 'store',
  recoveryFrom: 'end',
  endsNode: false,
  parameters: nothing,
  unfit: () => null,
  inject({ cluster, clock }) {
    const { path } = cluster.store;
    return path === null ? wantReplicas(cluster.broker, clock) : lockFile(path, clock);
  },
};

/**
 * No room for the store: whoever writes its files, every node for SQLite and else the Redis, may
 * write to no file at all. A process that is started meanwhile has room. SQLite takes a quota for
 * a disk that fails, so nodes say STORE_UNAVAILABLE, where a full one makes them say STORE_FULL.
 */
export const storeFullFault: FaultKind<typeof nothing> = {
  name: 'store-full',
  summary: 'leave the store no room on its disk',
  on: 'store',
  recoveryFrom: 'end',
  endsNode: false,
  parameters: nothing,
  unfit({ store, broker }) {
    if (store.kind === 'redis' && broker.kind === 'embedded') {
      return 'the embedded broker gives its engine no quota that it would survive';
    }
    return noQuotaBecause();
  },
  inject(site) {
    return site.cluster.store.kind === 'redis' ? fillRedis(site.cluster.broker) : fillNodes(site);
  },
};

async function lockFile(path: string, clock: Clock): Promise<ActiveFault> {
  const lock = await holdWriteLock(path, clock);
  return {
    async evidence() {
      const refusal = lock.refusal();
      return refusal === null ? null : `the store refused a write of ours: ${refusal}`;
    },
    revert: once(async () => lock.release()),
  };
}

async function wantReplicas(broker: DrillBroker, clock: Clock): Promise<ActiveFault> {
  const [, before] = (await broker.command('CONFIG', 'GET', setting)) as [string, string];
  const counted = await refusedCommands(broker, 'NOREPLICAS');
  await broker.command('CONFIG', 'SET', setting, replicasNobodyHas);
  return {
    evidence: () => refusals(broker, 'NOREPLICAS', counted),
    revert: once(() => restore(broker, before, clock)),
  };
}

/** Not at once, perhaps: the broker may be away for another fault. */
async function restore(broker: DrillBroker, value: string, clock: Clock): Promise<void> {
  const untilMs = clock.monotonicMs() + restoreTimeoutMs;
  for (;;) {
    try {
      await broker.command('CONFIG', 'SET', setting, value);
      return;
    } catch (error) {
      const isAway = isBackplaneError(error, 'BACKPLANE_UNREACHABLE');
      if (!isAway || clock.monotonicMs() > untilMs) throw error;
      await sleep(clock, restorePauseMs);
    }
  }
}

async function fillRedis(broker: DrillBroker): Promise<ActiveFault> {
  const counted = await refusedCommands(broker, 'MISCONF');
  const info = String(await broker.command('INFO', 'server'));
  const quota = await giveNoRoom(Number(/^process_id:(\d+)/m.exec(info)?.[1]));
  return {
    evidence: () => refusals(broker, 'MISCONF', counted),
    revert: once(() => quota.lift()),
  };
}

async function refusals(broker: DrillBroker, word: string, before: number): Promise<string | null> {
  const count = (await refusedCommands(broker, word)) - before;
  return count > 0 ? `the store refused ${count} commands with ${word}` : null;
}

async function fillNodes({ cluster, clock }: FaultSite): Promise<ActiveFault> {
  const live = cluster.nodes.filter(({ pid }) => pid !== null);
  const quotas: FileQuota[] = [];
  const lift = async () => {
    await Promise.all(quotas.map((quota) => quota.lift()));
  };
  try {
    for (const { pid } of live) quotas.push(await giveNoRoom(pid as number));
  } catch (error) {
    await lift();
    throw error;
  }
  if (quotas.length === 0) throw new BackplaneError('INCONCLUSIVE', 'no node runs');
  return { evidence: () => troubles(live, clock), revert: once(lift) };
}

async function troubles(nodes: readonly DrillNode[], clock: Clock): Promise<string | null> {
  const found = await Promise.all(
    nodes.map(async (node) => ({ node, trouble: await storeTrouble(node, clock) })),
  );
  const ill = found.filter(({ trouble }) => trouble !== null);
  const [first] = ill;
  if (first === undefined) return null;
  const names = ill.map(({ node }) => node.nodeId).join(', ');
  return `the store of ${names} takes no writes: ${first.trouble}`;
}
