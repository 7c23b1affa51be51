import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../../src/foundation/errors.ts';
import type { OpReceipt } from '../../../src/runtime/reports.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { RecordingFollower } from '../../support/recording-follower.ts';
import { bytes, op } from '../../support/some-ops.ts';

const docs = (count: number) => Array.from({ length: count }, (_, index) => `doc-${index}`);

/** Ops and calls through every node given, until it is told to stop; what failed, by code. */
function load(cluster: MemoryCluster, nodeIds: readonly string[], names: readonly string[]) {
  const counters = new Map<string, number>();
  const receipts: Promise<OpReceipt>[] = [];
  const failures: string[] = [];
  const fail = (error: BackplaneError) => void failures.push(error.code);
  let round = 0;
  let sent = 0;
  return {
    failures,
    receipts,
    /** One op and one call through each node. */
    async step() {
      for (const nodeId of nodeIds) {
        const doc = names[round++ % names.length] ?? '';
        const { runtime } = cluster.node(nodeId);
        const key = `${doc} ${nodeId}`;
        const counter = (counters.get(key) ?? 0) + 1;
        counters.set(key, counter);
        const receipt = runtime.submit(doc, op(nodeId, counter));
        receipt.catch(fail);
        receipts.push(receipt);
        const target = { kind: 'doc', doc } as const;
        runtime
          .request(target, 'who', new Uint8Array())
          .then(
            ({ replies }) => replies[0]?.ok || failures.push(replies[0]?.error?.code ?? 'none'),
            fail,
          );
        sent += 2;
      }
      await cluster.advance(1);
      return sent;
    },
  };
}

async function clusterOwning(nodeIds: readonly string[], names: readonly string[]) {
  const cluster = await MemoryCluster.start(nodeIds);
  for (const { runtime, nodeId } of cluster.nodes) runtime.handle('who', () => bytes(nodeId));
  const { runtime } = cluster.nodes[0]!;
  await cluster.run(Promise.all(names.map((doc) => runtime.submit(doc, op('first', 1)))));
  return cluster;
}

async function owners(cluster: MemoryCluster): Promise<Map<string | null, number>> {
  const counts = new Map<string | null, number>();
  const names = new Map(cluster.nodes.map(({ runtime, nodeId }) => [runtime.session(), nodeId]));
  for await (const page of cluster.engine.inspector.leases()) {
    for (const { session } of page) {
      const name = names.get(session) ?? null;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
}

describe('draining a node', () => {
  test('hands over a thousand documents under load, and no op and no call fails', async () => {
    const names = docs(1_000);
    const cluster = await clusterOwning(['a', 'b', 'c'], names);
    const traffic = load(cluster, ['a', 'b', 'c'], names);
    for (let step = 0; step < 20; step++) await traffic.step();
    const { runtime } = cluster.node('a');
    let drained = 0;
    void runtime.drain().then(({ documents }) => {
      drained = documents;
    });
    for (let step = 0; step < 400; step++) await traffic.step();
    await cluster.run(Promise.all(traffic.receipts));
    await cluster.advance(1_000);
    expect(traffic.failures).toEqual([]);
    expect(drained).toBe(1_000);
    expect(runtime.metrics().gauges.documents_owned).toBe(0);
    const counts = await owners(cluster);
    expect(counts.get('a')).toBeUndefined();
    expect([counts.get('b'), counts.get('c')]).toEqual([500, 500]);
  }, 30_000);

  test('and stopping it under load fails nothing either', async () => {
    const names = docs(200);
    const cluster = await clusterOwning(['a', 'b', 'c'], names);
    const traffic = load(cluster, ['b', 'c'], names);
    for (let step = 0; step < 20; step++) await traffic.step();
    const stopping = cluster.node('a').runtime.stop();
    for (let step = 0; step < 200; step++) await traffic.step();
    await cluster.run(stopping);
    await cluster.run(Promise.all(traffic.receipts));
    await cluster.advance(1_000);
    expect(traffic.failures).toEqual([]);
    const seqs = await Promise.all(names.map(async (doc) => (await cluster.store.head(doc))?.seq));
    expect(seqs.reduce((sum, seq) => Number(sum) + Number(seq), 0)).toBe(
      200 + traffic.receipts.length,
    );
  }, 30_000);

  test('one after another is a rolling restart in which nothing fails', async () => {
    const names = docs(60);
    const cluster = await clusterOwning(['a', 'b', 'c'], names);
    const traffic = load(cluster, ['c'], names);
    for (const nodeId of ['a', 'b']) {
      const stopping = cluster.node(nodeId).runtime.stop();
      for (let step = 0; step < 60; step++) await traffic.step();
      await cluster.run(stopping);
      const again = await cluster.add(`${nodeId}-again`);
      again.runtime.handle('who', () => bytes(nodeId));
    }
    await cluster.run(Promise.all(traffic.receipts));
    expect(traffic.failures).toEqual([]);
  }, 30_000);

  test('while its successor begins to drain as well strands no document', async () => {
    const names = docs(40);
    const cluster = await clusterOwning(['a', 'b', 'c'], names);
    const [a, b, c] = ['a', 'b', 'c'].map((nodeId) => cluster.node(nodeId).runtime);
    // `a` believes that `b` takes documents; by the time it hands them over, `b` does not.
    const mayHand = Promise.withResolvers<void>();
    const end = cluster.node('a').faults.always('leases.release', { waitsFirst: mayHand.promise });
    const draining = a!.drain();
    await cluster.settle();
    await cluster.run(b!.drain());
    end();
    mayHand.resolve();
    await cluster.run(draining);
    for (const doc of names) {
      const startedMs = cluster.clock.monotonicMs();
      const receipt = await cluster.run(c!.submit(doc, op('q', 1)));
      expect([doc, receipt.nodeId, receipt.seq]).toEqual([doc, 'c', 2]);
      expect(cluster.clock.monotonicMs() - startedMs).toBeLessThan(1_000);
    }
  });

  test('is seen by the others at once, who choose it for nothing new', async () => {
    const cluster = await clusterOwning(['a', 'b'], ['doc']);
    await cluster.run(cluster.node('a').runtime.drain());
    await cluster.settle();
    const session = cluster.node('a').runtime.session() ?? '';
    expect((await cluster.engine.sessions.read(session))?.vitals.draining).toBe(true);
    const visitor = await cluster.visitor();
    for (let index = 0; index < 20; index++) {
      const receipt = await cluster.run(visitor.submit(`new-${index}`, op('p', 1)));
      expect(receipt.nodeId).toBe('b');
    }
  });

  test('is seen by the others at once also when a renewal was under way', async () => {
    const cluster = await clusterOwning(['a', 'b'], ['doc']);
    const { runtime, faults } = cluster.node('a');
    const answer = Promise.withResolvers<void>();
    faults.next('sessions.renew', { waits: answer.promise });
    const before = faults.count('sessions.renew');
    await cluster.until('a renewal', () => faults.count('sessions.renew') > before);
    await cluster.run(runtime.drain());
    answer.resolve();
    await cluster.advance(100);
    const record = await cluster.engine.sessions.read(runtime.session() ?? '');
    expect(record?.vitals.draining).toBe(true);
  });

  test('leaves it serving its peers: their ops go to the new owners', async () => {
    const cluster = await clusterOwning(['a', 'b'], ['doc']);
    const { runtime } = cluster.node('a');
    await cluster.run(runtime.drain());
    expect(await cluster.run(runtime.submit('doc', op('p', 1)))).toMatchObject({
      seq: 2,
      nodeId: 'b',
      hops: 1,
    });
    expect((await cluster.run(runtime.submit('new', op('p', 1)))).nodeId).toBe('b');
    expect((await cluster.failure(runtime.acquire('other'))).code).toBe('DRAINING');
  });

  test('the only node frees its documents for whoever comes next', async () => {
    const cluster = await clusterOwning(['a'], docs(10));
    await cluster.run(cluster.node('a').runtime.stop());
    expect(await owners(cluster)).toEqual(new Map());
    const { runtime } = await cluster.add('b');
    expect(await cluster.run(runtime.submit('doc-3', op('p', 1)))).toMatchObject({ seq: 2 });
  });

  test('appends what it accepted before it hands over, and tells peers to go only then', async () => {
    const cluster = await clusterOwning(['a', 'b'], ['doc']);
    const { runtime, faults } = cluster.node('a');
    const mayAppend = Promise.withResolvers<void>();
    faults.next('store.append', { waitsFirst: mayAppend.promise });
    const accepted = runtime.submit('doc', op('p', 1));
    await cluster.settle();
    let told = 0;
    runtime.onDraining(() => {
      told += 1;
    });
    const draining = runtime.drain();
    await cluster.advance(500);
    expect(told).toBe(0);
    mayAppend.resolve();
    await cluster.run(draining);
    await cluster.run(runtime.drain());
    expect(await cluster.run(accepted)).toMatchObject({ seq: 2, nodeId: 'a' });
    expect(told).toBe(1);
  });

  test('goes on when one document cannot be released', async () => {
    const cluster = await clusterOwning(['a', 'b'], docs(5));
    const { runtime, faults } = cluster.node('a');
    faults.next('leases.release', { fails: new BackplaneError('BACKPLANE_LOST', 'cut') });
    expect(await cluster.run(runtime.drain())).toEqual({ documents: 5 });
    for (const doc of docs(5)) {
      const receipt = await cluster.run(cluster.node('b').runtime.submit(doc, op('p', 1)));
      expect(receipt).toMatchObject({ seq: 2, nodeId: 'b' });
    }
  });
});

test('stopping waits for requests under way, but not for ever', async () => {
  const cluster = await MemoryCluster.start(['a', 'b']);
  const [a, b] = [cluster.node('a').runtime, cluster.node('b').runtime];
  const done = Promise.withResolvers<Uint8Array>();
  b.handle('slow', () => done.promise);
  b.handle('never', () => new Promise(() => {}));
  const target = { kind: 'node', nodeId: 'b' } as const;
  const slow = a.request(target, 'slow', new Uint8Array());
  const never = cluster.failure(a.request(target, 'never', new Uint8Array()));
  await cluster.settle();
  const startedMs = cluster.clock.monotonicMs();
  const stopping = b.stop();
  await cluster.advance(1_000);
  done.resolve(bytes('done'));
  expect((await cluster.run(slow)).replies[0]?.ok).toBe(true);
  await cluster.run(stopping);
  expect(cluster.clock.monotonicMs() - startedMs).toBeLessThan(6_000);
  expect((await never).certainty).toBe('indefinite');
});

test('stopping twice is stopping once, and stopping what never started is nothing', async () => {
  const cluster = await MemoryCluster.start(['a']);
  const { runtime, faults } = cluster.node('a');
  await cluster.run(Promise.all([runtime.stop(), runtime.stop()]));
  expect(faults.count('sessions.fence')).toBe(1);
  await cluster.make('never').runtime.stop();
});

test('a node that stopped leaves no timer and no subscription behind', async () => {
  const cluster = await MemoryCluster.start(['a', 'b']);
  const { runtime } = cluster.node('a');
  await cluster.run(runtime.submit('doc', op('p', 1)));
  await cluster.run(cluster.node('b').runtime.stop());
  await cluster.run(runtime.follow('doc', 0, new RecordingFollower()));
  runtime.setAwareness('doc', 'p', bytes('here'));
  await cluster.run(runtime.stop());
  await cluster.settle();
  expect([...cluster.broker.channels.keys()]).toEqual([]);
  // One timer would keep the application's process alive.
  expect(cluster.clock.timersWaiting).toBe(0);
});
