import { expect, test } from 'vitest';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { RecordingFollower } from '../../support/recording-follower.ts';
import { op, submitMany, upTo } from '../../support/some-ops.ts';

test('an op through any node gets the next seq from the one owner', async () => {
  const cluster = await MemoryCluster.start(['a', 'b', 'c']);
  const receipts = [];
  for (const [index, nodeId] of ['b', 'a', 'c', 'a'].entries()) {
    const { runtime } = cluster.node(nodeId);
    receipts.push(await cluster.run(runtime.submit('doc', op('p', index + 1))));
  }
  expect(receipts.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  expect(new Set(receipts.map(({ nodeId }) => nodeId))).toEqual(new Set(['b']));
  expect(receipts.map(({ hops }) => hops)).toEqual([0, 1, 1, 1]);
});

test('what the owner accepts reaches a follower on every node, in order', async () => {
  const cluster = await MemoryCluster.start(['a', 'b', 'c']);
  const followers = await Promise.all(
    cluster.nodes.map(async ({ runtime }) => {
      const follower = new RecordingFollower();
      await runtime.follow('doc', 0, follower);
      return follower;
    }),
  );
  await cluster.run(submitMany(cluster.node('a').runtime, 'doc', 'p', { from: 1, to: 40 }));
  await cluster.run(submitMany(cluster.node('c').runtime, 'doc', 'q', { from: 1, to: 40 }));
  await cluster.settle();
  for (const follower of followers) {
    expect(follower.seqs).toEqual(upTo(80));
    expect(follower.texts).toEqual(followers[0]?.texts);
  }
});

test('a killed owner is replaced within a second, and nothing acknowledged is lost', async () => {
  const cluster = await MemoryCluster.start(['a', 'b', 'c']);
  const { runtime: other } = cluster.node('b');
  const before = await cluster.run(
    submitMany(cluster.node('a').runtime, 'doc', 'p', { from: 1, to: 10 }),
  );
  await cluster.node('a').kill();
  const startedMs = cluster.clock.monotonicMs();
  const receipt = await cluster.run(other.submit('doc', op('q', 1)));
  expect(cluster.clock.monotonicMs() - startedMs).toBeLessThan(1_000);
  expect(receipt).toMatchObject({ seq: 11, nodeId: 'b' });
  expect(receipt.epoch).toBeGreaterThan(before[0]!.epoch);
});

test('an owner whose record the directory lost asks the store before it says that ops are missing', async () => {
  const cluster = await MemoryCluster.start(['a', 'b']);
  const { runtime: forgotten } = cluster.node('a');
  const { runtime: next } = cluster.node('b');
  await cluster.run(forgotten.submit('doc', op('q', 1)));
  cluster.broker.directory.remove('doc');
  const peers = await cluster.run(submitMany(next, 'doc', 'p', { from: 1, to: 2 }));
  expect(peers.map(({ nodeId }) => nodeId)).toEqual(['b', 'b']);
  expect(forgotten.ownedEpoch('doc')).toBe(1);
  // The peer comes to the node that does not know yet, and nobody says that it is another's.
  cluster.broker.directory.remove('doc');
  const third = await cluster.run(forgotten.submit('doc', op('p', 3)));
  expect(third).toMatchObject({ seq: 4, nodeId: 'a', epoch: 3 });
});

test('a peer that is ahead of an owner that is right is told which op is missing', async () => {
  const cluster = await MemoryCluster.start(['a']);
  const { runtime } = cluster.node('a');
  await cluster.run(runtime.submit('doc', op('p', 1)));
  const { code, error } = await cluster.failure(runtime.submit('doc', op('p', 3)));
  expect({ code, facts: error.facts }).toMatchObject({ code: 'OP_GAP', facts: { expected: 2 } });
  expect(runtime.ownedEpoch('doc')).toBe(1);
});
