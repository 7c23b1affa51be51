import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../../src/foundation/errors.ts';
import type { Frame } from '../../../src/runtime/frames.ts';
import { askingCluster, toDoc, toNode } from '../../support/asking-cluster.ts';
import type { ClusterNode } from '../../support/memory-cluster.ts';
import { bytes, op } from '../../support/some-ops.ts';

const lost = () => new BackplaneError('BACKPLANE_LOST', 'the connection broke');
const unreachable = () => new BackplaneError('BACKPLANE_UNREACHABLE', 'no connection');

/** Loses the first frames of a kind on their way to a node. */
function loses(node: ClusterNode, kind: Frame['kind'], times = 1): void {
  let left = times;
  const end = node.bus.filter((frame) => {
    if (frame.kind !== kind) return undefined;
    left -= 1;
    if (left <= 0) end();
    return 'drop';
  });
}

async function counting() {
  const world = await askingCluster();
  const { cluster, b } = world;
  await cluster.run(b.runtime.submit('doc', op('p', 1)));
  let ran = 0;
  for (const { runtime } of cluster.nodes) runtime.handle('count', () => bytes(`${++ran}`));
  /** How long it took. */
  const took = async (run: () => Promise<unknown>) => {
    const startedMs = cluster.clock.monotonicMs();
    await cluster.run(run());
    return cluster.clock.monotonicMs() - startedMs;
  };
  return { ...world, took, ran: () => ran };
}

describe('a call', () => {
  test.each([
    'request',
    'reply',
  ] as const)('whose %s is lost is answered all the same, and was run once', async (kind) => {
    const { a, b, ask, took, ran } = await counting();
    loses(kind === 'request' ? b : a, kind);
    expect(await took(() => ask(toDoc('doc'), 'count'))).toBeLessThan(1_000);
    expect(ran()).toBe(1);
    expect(a.counter('requests_asked_again_total')).toBe(1);
  });

  test('is asked again at once when our connection is restored', async () => {
    const { cluster, a, ask, took } = await counting();
    loses(a, 'reply');
    cluster.clock.after(70, () => cluster.broker.interrupt());
    expect(await took(() => ask(toDoc('doc'), 'count'))).toBeLessThanOrEqual(71);
  });

  test('whose sending is in doubt is answered once the broker is back', async () => {
    const { cluster, a, ask, took, ran } = await counting();
    a.faults.next('bus.publish', { carriedOutThenFails: lost() });
    loses(a, 'reply');
    const ends = [
      a.faults.always('bus.publish', { fails: unreachable() }),
      a.faults.always('bus.receivers', { fails: unreachable() }),
    ];
    cluster.clock.after(4_000, () => {
      for (const end of ends) end();
    });
    expect(await took(() => ask(toDoc('doc'), 'count'))).toBeLessThan(4_200);
    expect(ran()).toBe(1);
  });

  test('is not made anew when only its first copy is said to have reached nobody', async () => {
    const { cluster, a, ask, ran } = await counting();
    const publish = a.bus.publish.bind(a.bus);
    const late = Promise.withResolvers<number>();
    a.bus.publish = (channel, payload) => {
      a.bus.publish = publish;
      void channel;
      void payload;
      return late.promise;
    };
    loses(a, 'reply');
    cluster.clock.after(70, () => cluster.broker.interrupt());
    cluster.clock.after(75, () => late.resolve(0));
    await cluster.run(ask(toDoc('doc'), 'count'));
    expect(ran()).toBe(1);
  });

  test('that was refused stays refused, though it comes again', async () => {
    const { cluster, a, b, ask, ran } = await counting();
    b.runtime.handle('full', () => {
      throw new BackplaneError('STORE_FULL', 'no room');
    });
    loses(a, 'reply', 2);
    const { replies } = await cluster.run(ask(toNode('b'), 'full'));
    expect(replies[0]?.error?.code).toBe('STORE_FULL');
    expect(b.counter('requests_repeated_total')).toBe(2);
    expect(b.counter('requests_handled_total')).toBe(1);
    expect(ran()).toBe(0);
  });

  test('costs one frame each way when nothing is lost', async () => {
    const { cluster, a, b, ask } = await counting();
    await cluster.run(ask(toDoc('doc'), 'count'));
    const before = [a, b].map(({ faults }) => faults.count('bus.'));
    await cluster.run(ask(toDoc('doc'), 'count'));
    await cluster.run(a.runtime.submit('doc', op('q', 1)));
    const after = [a, b].map(({ faults }) => faults.count('bus.'));
    // The owner tells the document's channel of the op besides.
    expect(after.map((count, index) => count - (before[index] ?? 0))).toEqual([2, 3]);
  });
});

describe('when the clock of the owner is set ahead', () => {
  test('ops are applied within a moment', async () => {
    const { cluster, a, b, took } = await counting();
    await cluster.run(a.runtime.submit('doc', op('p', 2)));
    b.clock.jumpWall(3_600_000);
    expect(await took(() => a.runtime.submit('doc', op('p', 3)))).toBeLessThan(500);
  });

  test('calls are run, once it is clear that they did not lie around', async () => {
    const { cluster, b, ask, took, ran } = await counting();
    await cluster.run(ask(toDoc('doc'), 'count'));
    b.clock.jumpWall(3_600_000);
    expect(await took(() => ask(toDoc('doc'), 'count'))).toBeLessThan(5_000);
    expect(ran()).toBe(2);
  });
});

test('ops in flight to a node that stands still go on as soon as another one gave it up', async () => {
  const { cluster, a, b, c } = await counting();
  await cluster.run(a.runtime.submit('doc', op('p', 2)));
  b.pause();
  const receipt = a.runtime.submit('doc', op('p', 3));
  await cluster.advance(2_000);
  const session = b.runtime.session() ?? '';
  const { beat = 0 } = (await cluster.engine.sessions.read(session)) ?? {};
  const atMs = cluster.clock.monotonicMs();
  await cluster.engine.sessions.fence(session, beat, 'fenced');
  expect(await cluster.run(receipt)).toMatchObject({ seq: 3 });
  expect(cluster.clock.monotonicMs() - atMs).toBeLessThan(1_100);
  expect(c.counter('sessions_fenced_total')).toBe(0);
});

test('all ops of a peer that an outage held up follow the first one at once, in order', async () => {
  const { cluster, a } = await counting();
  await cluster.run(a.runtime.submit('doc', op('p', 2)));
  const ends = (['leases.read', 'bus.publish', 'bus.receivers'] as const).map((name) =>
    a.faults.always(name, { fails: unreachable() }),
  );
  const receipts: Promise<{ seq: number }>[] = [];
  for (let counter = 3; counter < 63; counter++) {
    receipts.push(a.runtime.submit('doc', op('p', counter)));
    await cluster.advance(37);
  }
  for (const end of ends) end();
  const sentBefore = a.counter('requests_sent_total');
  const startedMs = cluster.clock.monotonicMs();
  const seqs = (await cluster.run(Promise.all(receipts))).map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.map((_, index) => index + 3));
  expect(cluster.clock.monotonicMs() - startedMs).toBeLessThan(410);
  expect(a.counter('requests_sent_total') - sentBefore).toBeLessThan(70);
});

test('an op that waits out a pause goes on at once when a connection was restored', async () => {
  const { cluster, a } = await counting();
  await cluster.run(a.runtime.submit('doc', op('p', 2)));
  const end = a.faults.always('bus.publish', { fails: unreachable() });
  const receipt = a.runtime.submit('doc', op('p', 3));
  // Its pauses are long by now.
  await cluster.advance(5_003);
  end();
  cluster.broker.interrupt();
  const startedMs = cluster.clock.monotonicMs();
  expect((await cluster.run(receipt)).seq).toBe(3);
  expect(cluster.clock.monotonicMs() - startedMs).toBeLessThan(2);
});
