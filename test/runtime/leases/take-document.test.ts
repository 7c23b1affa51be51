import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../../src/foundation/errors.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { op, submitMany } from '../../support/some-ops.ts';

const cut = () => new BackplaneError('BACKPLANE_LOST', 'the connection broke');
const storeDown = () => new BackplaneError('STORE_UNAVAILABLE', 'the store did not answer');

/** The broker gives the node's session up; the node itself has not heard of it yet. */
async function fenceSession(cluster: MemoryCluster, nodeId: string): Promise<void> {
  const session = cluster.node(nodeId).runtime.session() ?? '';
  const beat = (await cluster.engine.sessions.read(session))?.beat ?? -1;
  expect(await cluster.engine.sessions.fence(session, beat, 'fenced')).toBe('fenced');
}

describe('taking a document', () => {
  test('claims, fences, reads the log and confirms; nothing is read before the fence', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    await cluster.run(submitMany(cluster.node('a').runtime, 'doc', 'p', { from: 1, to: 3 }));
    const { runtime, faults } = cluster.node('b');
    await cluster.run(cluster.node('a').runtime.release('doc', runtime.session()));
    faults.calls.length = 0;
    await cluster.run(runtime.acquire('doc'));
    const calls = faults.calls
      .filter(({ port }) => port === 'leases' || port === 'store')
      .map(({ port, method }) => `${port}.${method}`);
    expect(calls).toEqual([
      'leases.read',
      'leases.claim',
      'store.fence',
      'leases.confirm',
      'store.read',
    ]);
  });

  test('ends when the node is dead and does not know, and has it look at once', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const { runtime } = cluster.node('a');
    const session = runtime.session();
    await fenceSession(cluster, 'a');
    await expect(cluster.run(runtime.acquire('doc'))).rejects.toMatchObject({
      code: 'LEASE_UNCERTAIN',
    });
    expect(await cluster.engine.leases.read('doc')).toBeNull();
    // Long before the next beat.
    await cluster.advance(100);
    expect(runtime.session()).not.toBe(session);
    expect(await cluster.run(runtime.acquire('doc'))).toMatchObject({ session: runtime.session() });
  });

  test('misses no op that the old owner appended up to the fence, and knows it as applied', async () => {
    const cluster = await MemoryCluster.start(['a', 'b', 'c']);
    const [old, next] = [cluster.node('a'), cluster.node('b')];
    // Who has asked the old owner before asks it again, without looking at the directory.
    const { runtime: caller } = cluster.node('c');
    await cluster.run(old.runtime.submit('doc', op('p', 1)));
    await cluster.run(caller.submit('doc', op('p', 2)));
    await fenceSession(cluster, 'a');
    const mayFence = Promise.withResolvers<void>();
    next.faults.next('store.fence', { waitsFirst: mayFence.promise });
    const taking = next.runtime.acquire('doc');
    await cluster.settle();
    const late = await cluster.run(caller.submit('doc', op('p', 3)));
    expect(late).toMatchObject({ seq: 3, nodeId: 'a' });
    mayFence.resolve();
    await cluster.run(taking);
    const again = await cluster.run(next.runtime.submit('doc', op('p', 3)));
    expect(again).toMatchObject({ seq: 3, duplicate: true, nodeId: 'b' });
    expect((await cluster.run(next.runtime.submit('doc', op('p', 4)))).seq).toBe(4);
  });

  test('from then on refuses the old owner in the store, who drops the document and asks anew', async () => {
    const cluster = await MemoryCluster.start(['a', 'b', 'c']);
    const [old, next] = [cluster.node('a'), cluster.node('b')];
    const { runtime: caller } = cluster.node('c');
    await cluster.run(old.runtime.submit('doc', op('p', 1)));
    await cluster.run(caller.submit('doc', op('p', 2)));
    await fenceSession(cluster, 'a');
    await cluster.run(next.runtime.acquire('doc'));
    const receipt = await cluster.run(caller.submit('doc', op('p', 3)));
    expect(receipt).toMatchObject({ seq: 3, epoch: 2, nodeId: 'b', duplicate: false });
    expect(old.counter('appends_refused_total')).toBe(1);
    expect(old.counter('sessions_lost_total')).toBe(1);
  });

  test('is refused while a living session holds it, with the name of the holder', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    await cluster.run(cluster.node('a').runtime.acquire('doc'));
    const failure = await cluster.failure(cluster.node('b').runtime.acquire('doc'));
    expect(failure.code).toBe('LEASE_HELD');
    expect(failure.error.facts).toMatchObject({ session: cluster.node('a').runtime.session() });
    expect(cluster.node('b').faults.count('store.fence')).toBe(0);
  });

  test('grants each of many who try at once an owner, and it is the same one', async () => {
    const cluster = await MemoryCluster.start(['a', 'b', 'c']);
    const tries = cluster.nodes.flatMap(({ runtime }) =>
      [1, 2, 3].map(() => runtime.acquire('doc')),
    );
    const outcomes = await cluster.run(Promise.allSettled(tries));
    const owners = outcomes.filter(({ status }) => status === 'fulfilled');
    expect(owners).toHaveLength(3);
    expect((await cluster.store.head('doc'))?.epoch).toBe(1);
  });

  test('never confirms a claim that another session has replaced', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const [slow, quick] = [cluster.node('a'), cluster.node('b')];
    const mayConfirm = Promise.withResolvers<void>();
    slow.faults.next('leases.confirm', { waitsFirst: mayConfirm.promise });
    const taking = cluster.failure(slow.runtime.acquire('doc'));
    await cluster.settle();
    await fenceSession(cluster, 'a');
    await cluster.run(quick.runtime.submit('doc', op('p', 1)));
    mayConfirm.resolve();
    expect((await taking).code).toBe('CONFLICT');
    expect(slow.runtime.ownedEpoch('doc')).toBeNull();
    expect(await cluster.engine.leases.read('doc')).toEqual({
      session: quick.runtime.session(),
      epoch: 2,
      state: 'held',
    });
    expect((await cluster.run(quick.runtime.submit('doc', op('p', 2)))).seq).toBe(2);
  });

  test('of a document whose epoch the directory forgot goes on from the epoch of the store', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    for (let round = 0; round < 4; round++) {
      const { runtime } = cluster.nodes[round % 2]!;
      await cluster.run(runtime.acquire('doc'));
      await cluster.run(runtime.release('doc'));
    }
    expect(await cluster.engine.leases.read('doc')).toBeNull();
    expect(await cluster.run(cluster.node('b').runtime.acquire('doc'))).toMatchObject({ epoch: 5 });
  });

  test('gives up a claim it lost while the store told it the true epoch', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const [slow, quick] = [cluster.node('a'), cluster.node('b')];
    await cluster.run(quick.runtime.acquire('doc'));
    await cluster.run(quick.runtime.release('doc'));
    const mayFence = Promise.withResolvers<void>();
    slow.faults.next('store.fence', { waitsFirst: mayFence.promise });
    const taking = cluster.failure(slow.runtime.acquire('doc'));
    await cluster.settle();
    await fenceSession(cluster, 'a');
    await cluster.run(quick.runtime.acquire('doc'));
    mayFence.resolve();
    const { code, error } = await taking;
    expect([code, error.facts?.session]).toEqual(['LEASE_HELD', quick.runtime.session()]);
    expect(quick.runtime.ownedEpoch('doc')).toBe(2);
    expect((await cluster.store.head('doc'))?.epoch).toBe(2);
  });
});

describe('a taking that failed halfway', () => {
  test.each([
    ['the claim, which was not made', 'leases.claim', { fails: cut() }],
    ['the claim, which was made', 'leases.claim', { carriedOutThenFails: cut() }],
    ['the fence, which was not set', 'store.fence', { fails: storeDown() }],
    ['the fence, which was set', 'store.fence', { carriedOutThenFails: storeDown() }],
    ['the confirmation, which was not made', 'leases.confirm', { fails: cut() }],
    ['the confirmation, which was made', 'leases.confirm', { carriedOutThenFails: cut() }],
    ['reading the log', 'store.read', { fails: storeDown() }],
  ] as const)('at %s is finished by the next attempt of the same session', async (_at, name, fault) => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const { runtime, faults } = cluster.node('a');
    await cluster.run(submitMany(cluster.node('b').runtime, 'doc', 'p', { from: 1, to: 3 }));
    await cluster.run(cluster.node('b').runtime.release('doc'));
    faults.next(name, fault);
    const failure = await cluster.failure(runtime.acquire('doc'));
    expect(failure.certainty).toBe('indefinite');
    const receipt = await cluster.run(runtime.submit('doc', op('p', 4)));
    expect(receipt).toMatchObject({ seq: 4, nodeId: 'a' });
    expect(receipt.epoch).toBeGreaterThan(1);
    expect((await cluster.engine.leases.read('doc'))?.state).toBe('held');
  });

  test('is finished by another node when the first one died over it', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const { runtime, faults } = cluster.node('a');
    faults.next('leases.confirm', { hangs: true });
    runtime.acquire('doc').catch(() => {});
    await cluster.settle();
    await cluster.node('a').kill();
    const receipt = await cluster.run(cluster.node('b').runtime.submit('doc', op('p', 1)));
    expect(receipt).toMatchObject({ seq: 1, epoch: 2, nodeId: 'b' });
  });
});

describe('releasing a document', () => {
  test('drains first: what was accepted is appended and acknowledged before anybody else may take it', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const { runtime, faults } = cluster.node('a');
    await cluster.run(runtime.submit('doc', op('p', 1)));
    const mayAppend = Promise.withResolvers<void>();
    faults.next('store.append', { waitsFirst: mayAppend.promise });
    const accepted = submitMany(runtime, 'doc', 'p', { from: 2, to: 6 });
    await cluster.settle();
    const releasing = runtime.release('doc');
    await cluster.advance(1_000);
    expect((await cluster.engine.leases.read('doc'))?.session).toBe(runtime.session());
    mayAppend.resolve();
    await cluster.run(releasing);
    expect((await cluster.run(accepted)).map(({ seq, nodeId }) => [seq, nodeId])).toEqual(
      [2, 3, 4, 5, 6].map((seq) => [seq, 'a']),
    );
    expect(await cluster.engine.leases.read('doc')).toBeNull();
  });

  test('forgets before it releases: an op that comes meanwhile is served by the next owner only', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const [old, next] = [cluster.node('a'), cluster.node('b')];
    await cluster.run(old.runtime.submit('doc', op('p', 1)));
    const mayAnswer = Promise.withResolvers<void>();
    old.faults.next('leases.release', { waits: mayAnswer.promise });
    const releasing = old.runtime.release('doc');
    await cluster.settle();
    expect(old.runtime.ownedEpoch('doc')).toBeNull();
    await cluster.run(next.runtime.acquire('doc'));
    const receipt = old.runtime.submit('doc', op('p', 2));
    await cluster.settle();
    mayAnswer.resolve();
    await cluster.run(releasing);
    expect(await cluster.run(receipt)).toMatchObject({ seq: 2, nodeId: 'b', epoch: 2 });
    expect(old.counter('appends_refused_total')).toBe(0);
  });

  test('never takes away the lease of the next owner, however late it arrives', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const [old, next] = [cluster.node('a'), cluster.node('b')];
    await cluster.run(old.runtime.submit('doc', op('p', 1)));
    const mayRelease = Promise.withResolvers<void>();
    old.faults.next('leases.release', { waitsFirst: mayRelease.promise });
    const releasing = old.runtime.release('doc');
    await cluster.settle();
    await fenceSession(cluster, 'a');
    await cluster.run(next.runtime.submit('doc', op('p', 2)));
    mayRelease.resolve();
    await cluster.run(releasing);
    expect((await cluster.engine.leases.read('doc'))?.session).toBe(next.runtime.session());
  });

  test('to a successor makes it the next owner at the next op', async () => {
    const cluster = await MemoryCluster.start(['a', 'b', 'c']);
    const [a, b, c] = cluster.nodes;
    await cluster.run(a!.runtime.submit('doc', op('p', 1)));
    await cluster.run(a!.runtime.release('doc', c!.runtime.session()));
    const receipt = await cluster.run(b!.runtime.submit('doc', op('p', 2)));
    expect(receipt).toMatchObject({ seq: 2, epoch: 2, nodeId: 'c' });
  });

  test('of what this node does not own fails with NOT_OWNER', async () => {
    const cluster = await MemoryCluster.start(['a']);
    expect((await cluster.failure(cluster.node('a').runtime.release('doc'))).code).toBe(
      'NOT_OWNER',
    );
  });

  test('that failed is made good by the next op', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const { runtime, faults } = cluster.node('a');
    await cluster.run(runtime.submit('doc', op('p', 1)));
    faults.next('leases.release', { fails: cut() });
    await cluster.failure(runtime.release('doc'));
    const receipt = await cluster.run(cluster.node('b').runtime.submit('doc', op('p', 2)));
    expect(receipt).toMatchObject({ seq: 2, nodeId: 'a', epoch: 2 });
  });
});

test('an idle document is released, and one in use is not', async () => {
  const cluster = await MemoryCluster.start(['a'], { dials: { idleDocumentMs: 60_000 } });
  const { runtime } = cluster.node('a');
  await cluster.run(runtime.submit('idle', op('p', 1)));
  await cluster.run(runtime.submit('busy', op('p', 1)));
  await cluster.advance(59_000);
  expect(runtime.ownedEpoch('idle')).toBe(1);
  await cluster.run(runtime.submit('busy', op('p', 2)));
  await cluster.run(runtime.release('idle'));
  await cluster.run(runtime.submit('idle', op('p', 2)));
  await cluster.advance(58_000);
  await cluster.run(runtime.submit('busy', op('p', 3)));
  await cluster.advance(5_000);
  expect(await cluster.engine.leases.read('idle')).toBeNull();
  expect((await cluster.engine.leases.read('busy'))?.session).toBe(runtime.session());
});
