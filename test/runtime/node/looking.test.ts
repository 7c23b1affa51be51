import { expect, test } from 'vitest';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { RecordingFollower } from '../../support/recording-follower.ts';
import { op, submitMany } from '../../support/some-ops.ts';

/** Everything a call can change, by the port's own words. */
const writing = new Set([
  ...['claim', 'confirm', 'release', 'sweep'].map((method) => `leases.${method}`),
  ...['fence', 'append', 'saveSnapshot'].map((method) => `store.${method}`),
  ...['open', 'fence', 'finishSweep'].map((method) => `sessions.${method}`),
]);

async function everything(cluster: MemoryCluster) {
  const leases = [];
  for await (const page of cluster.engine.inspector.leases()) leases.push(...page);
  const { documents } = await cluster.store.documents(null, 1_000);
  return { leases, documents };
}

/** One document that `a` owns, one that nobody owns, and one that never was. */
async function someDocuments() {
  const cluster = await MemoryCluster.start(['a', 'b'], { dials: { snapshotOps: 1_000 } });
  const { runtime } = cluster.node('a');
  await cluster.run(submitMany(runtime, 'owned', 'p', { from: 1, to: 20 }));
  await cluster.run(submitMany(runtime, 'free', 'p', { from: 1, to: 20 }));
  await cluster.run(runtime.release('free'));
  for (const { faults } of cluster.nodes) faults.calls.length = 0;
  return { cluster, before: await everything(cluster) };
}

async function expectUntouched(cluster: MemoryCluster, before: unknown) {
  await cluster.advance(200);
  expect(await everything(cluster)).toEqual(before);
  for (const { faults } of cluster.nodes) {
    const wrote = faults.calls.map(({ port, method }) => `${port}.${method}`);
    expect(wrote.filter((name) => writing.has(name))).toEqual([]);
  }
}

test('reading, following and measuring through a node writes nothing, whoever owns the document', async () => {
  const { cluster, before } = await someDocuments();
  for (const { runtime } of cluster.nodes) {
    for (const doc of ['owned', 'free']) {
      expect((await cluster.run(runtime.readState(doc))).seq).toBe(20);
      const follower = new RecordingFollower();
      const following = await cluster.run(runtime.follow(doc, 0, follower));
      expect(follower.seqs).toHaveLength(20);
      await following.close();
    }
    await cluster.run(runtime.follow('never', 0, new RecordingFollower()));
    expect((await cluster.failure(runtime.readState('never'))).code).toBe('DOCUMENT_UNKNOWN');
    expect(runtime.ownedEpoch('free')).toBeNull();
    runtime.metrics();
    await cluster.run(runtime.readiness());
    await cluster.run(runtime.request({ kind: 'all' }, 'ping', new Uint8Array()));
  }
  await expectUntouched(cluster, before);
});

test('looking as a visitor writes nothing, and joins nothing', async () => {
  const { cluster, before } = await someDocuments();
  const sessions = (await cluster.engine.sessions.list()).map(({ id }) => id);
  const visitor = await cluster.visitor(false);
  for (const { runtime } of cluster.nodes) {
    const session = runtime.session() ?? '';
    const ask = (name: string, params: unknown) =>
      cluster.run(visitor.control(session, name, params));
    for (const doc of ['owned', 'free']) {
      expect(await ask('doc.read', { doc, after: 5, limit: 3 })).toMatchObject({
        ops: [{ seq: 6 }, { seq: 7 }, { seq: 8 }],
        end: { seq: 20 },
      });
      expect(await ask('doc.describe', { doc })).toMatchObject({ doc, seq: 20, state: '{"p":20}' });
    }
    expect(await ask('docs.page', { from: null, limit: 10 })).toMatchObject({ next: null });
    const unknown = visitor.control(session, 'doc.describe', { doc: 'never' });
    expect((await cluster.failure(unknown)).code).toBe('DOCUMENT_UNKNOWN');
  }
  for (const doc of ['owned', 'free', 'never']) {
    const following = await cluster.run(visitor.follow(doc, 0, new RecordingFollower()));
    await following.close();
  }
  await visitor.close();
  await expectUntouched(cluster, before);
  expect((await cluster.engine.sessions.list()).map(({ id }) => id)).toEqual(sessions);
});

test('looking at a document whose owner died fences nobody and takes nothing', async () => {
  const { cluster } = await someDocuments();
  const session = cluster.node('a').runtime.session() ?? '';
  await cluster.node('a').kill();
  const before = await everything(cluster);
  const visitor = await cluster.visitor(false);
  const follower = new RecordingFollower();
  await cluster.run(visitor.follow('owned', 0, follower));
  await cluster.run(cluster.node('b').runtime.readState('owned'));
  await cluster.run(
    visitor.control(cluster.node('b').runtime.session() ?? '', 'doc.describe', { doc: 'owned' }),
  );
  await cluster.advance(2_000);
  expect(follower.seqs).toHaveLength(20);
  expect(await everything(cluster)).toEqual(before);
  expect((await cluster.engine.sessions.read(session))?.state).toBe('live');
});

test('a visitor that only looks fences nobody who dies over its question', async () => {
  const { cluster } = await someDocuments();
  const node = cluster.node('a');
  const session = node.runtime.session() ?? '';
  const visitor = await cluster.visitor(false);
  node.pause();
  const asked = visitor.control(session, 'doc.describe', { doc: 'owned' }, { timeoutMs: 2_000 });
  const failing = cluster.failure(asked);
  await cluster.settle();
  await node.kill();
  expect(await failing).toMatchObject({ code: 'DEADLINE_EXCEEDED', tookMs: 2_000 });
  expect((await cluster.engine.sessions.read(session))?.state).toBe('live');
});

test.each([
  ['doc.read', { doc: 'owned', after: -1, limit: 3 }],
  ['doc.read', { doc: 'owned', after: 0, limit: 'many' }],
  ['doc.read', { doc: 'owned', after: 0, limit: 3, extra: 1 }],
  ['doc.describe', {}],
  ['doc.describe', { doc: 7 }],
  ['doc.describe', []],
  ['doc.describe', null],
  ['docs.page', { from: 7, limit: 1 }],
  ['lease.move', { doc: 'owned', session: 7 }],
  ['lease.acquire', { doc: '' }],
  ['lease.acquire', { doc: 'owned', force: true }],
  ['node.drain', { now: true }],
])('a control with the wrong parameters (%s %j) is refused before anything is done', async (name, params) => {
  const { cluster, before } = await someDocuments();
  const visitor = await cluster.visitor();
  const session = cluster.node('a').runtime.session() ?? '';
  const failure = await cluster.failure(visitor.control(session, name, params));
  expect(['REQUEST_INVALID', 'NAME_INVALID']).toContain(failure.code);
  expect(failure.certainty).toBe('definite');
  await expectUntouched(cluster, before);
});

test('what an operator acquires, moves and releases is his, and a move to the dead is refused', async () => {
  const { cluster } = await someDocuments();
  const visitor = await cluster.visitor();
  const [a, b] = cluster.nodes.map(({ runtime }) => runtime.session() ?? '');
  const ask = (session: string, name: string, params: unknown) =>
    visitor.control(session, name, params);
  expect(await cluster.run(ask(b!, 'lease.acquire', { doc: 'free' }))).toMatchObject({
    session: b,
    epoch: 2,
  });
  expect((await cluster.failure(ask(b!, 'lease.acquire', { doc: 'owned' }))).code).toBe(
    'LEASE_HELD',
  );
  expect((await cluster.failure(ask(b!, 'lease.release', { doc: 'owned' }))).code).toBe(
    'NOT_OWNER',
  );
  const nowhere = ask(a!, 'lease.move', { doc: 'owned', session: 'gone' });
  expect((await cluster.failure(nowhere)).code).toBe('NODE_DEAD');
  expect((await cluster.engine.leases.read('owned'))?.session).toBe(a);
  const moved = await cluster.run(ask(a!, 'lease.move', { doc: 'owned', session: b }));
  expect(moved).toEqual({ doc: 'owned', session: b, nodeId: 'b', epoch: 2 });
  expect((await cluster.run(cluster.node('a').runtime.submit('owned', op('q', 1)))).nodeId).toBe(
    'b',
  );
  expect(await cluster.run(ask(b!, 'lease.release', { doc: 'owned' }))).toEqual({
    doc: 'owned',
    epoch: 2,
  });
});
