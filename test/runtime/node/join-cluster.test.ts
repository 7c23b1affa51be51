import { describe, expect, test } from 'vitest';
import { MemoryStore } from '../../../src/drivers/memory/memory-store.ts';
import type { ClusterRecord, ClusterRecords } from '../../../src/ports/cluster-record.ts';
import { agreeAgain, joinCluster } from '../../../src/runtime/join-cluster.ts';
import { defaultDials, type NodeSettings } from '../../../src/runtime/node-settings.ts';
import { SeededRandom } from '../../../src/verification/seeded-random.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { RewindableLogs } from '../../support/rewindable-logs.ts';

function records(): ClusterRecords {
  let kept: ClusterRecord | null = null;
  return {
    agree: async (proposal) => {
      kept ??= proposal;
      return kept;
    },
    read: async () => kept,
    replace: async (seen, proposal) => {
      if (!kept || kept.id === seen.id) kept = proposal;
      return kept;
    },
  };
}

const settings: NodeSettings = {
  nodeId: 'a',
  version: '0',
  pid: 1,
  address: () => null,
  dials: defaultDials,
  fastTakeover: true,
  documentEngine: 'json',
  drainRequested() {},
};
const storeOf = (seed: number) => new MemoryStore(new RewindableLogs(new SeededRandom(seed)));

describe('joining a cluster', () => {
  test('gives all nodes of one store the same id, also after the broker forgot it', async () => {
    const store = storeOf(1);
    const first = await joinCluster(records(), store, settings);
    const second = await joinCluster(records(), store, { ...settings, nodeId: 'b' });
    expect(second).toEqual(first);
    expect((await joinCluster(records(), storeOf(2), settings)).id).not.toBe(first.id);
  });

  test.each([
    ['another store', storeOf(2), settings],
    ['another document engine', null, { ...settings, documentEngine: 'log' as const }],
  ])('with %s is refused as CLUSTER_MISMATCH', async (_what, other, theirs) => {
    const cluster = records();
    const store = storeOf(1);
    await joinCluster(cluster, store, settings);
    await expect(joinCluster(cluster, other ?? store, theirs)).rejects.toMatchObject({
      code: 'CLUSTER_MISMATCH',
      certainty: 'definite',
    });
  });

  test('whose nodes kept everything in memory and are gone begins a new one', async () => {
    const cluster = records();
    await joinCluster(cluster, storeOf(1), settings);
    const join = (isDeserted: boolean) =>
      joinCluster(cluster, storeOf(2), settings, async () => isDeserted);
    await expect(join(false)).rejects.toMatchObject({ code: 'CLUSTER_MISMATCH' });
    expect((await join(true)).storeIdentity).toBe(await storeOf(2).identity());
  });

  test('whose documents are kept is never given up, also when nobody is there', async () => {
    const cluster = records();
    const kept = Object.assign(storeOf(1), { identity: async () => 'kept-for-ever' });
    await joinCluster(cluster, kept, settings);
    await expect(
      joinCluster(cluster, storeOf(2), settings, async () => true),
    ).rejects.toMatchObject({ code: 'CLUSTER_MISMATCH' });
  });

  test('again says so when another cluster has taken the place', async () => {
    const store = storeOf(1);
    const ours = await joinCluster(records(), store, settings);
    const taken = records();
    await joinCluster(taken, storeOf(2), settings);
    await expect(agreeAgain(taken, ours)).rejects.toMatchObject({ code: 'CLUSTER_MISMATCH' });
    await expect(agreeAgain(records(), ours)).resolves.toBeUndefined();
  });
});

test('a node that may not join opens no session and no inbox', async () => {
  const cluster = await MemoryCluster.start(['a']);
  const stranger = cluster.make('b', { documentEngine: 'log' });
  expect((await cluster.failure(stranger.runtime.start())).code).toBe('CLUSTER_MISMATCH');
  expect(stranger.faults.count('sessions.open')).toBe(0);
  expect(stranger.faults.count('bus.subscribe')).toBe(0);
});
