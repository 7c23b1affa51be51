import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../../src/foundation/errors.ts';
import type { FollowedOp } from '../../../src/runtime/reports.ts';
import type { Delivery } from '../../support/faulty-bus.ts';
import { type ClusterNode, MemoryCluster } from '../../support/memory-cluster.ts';
import { RecordingFollower } from '../../support/recording-follower.ts';
import { op, submitMany, upTo } from '../../support/some-ops.ts';

const storeDown = () => new BackplaneError('STORE_UNAVAILABLE', 'the store did not answer');

/** Node `a` owns the document, node `b` follows it from the start. */
async function ownerAndFollower() {
  const cluster = await MemoryCluster.start(['a', 'b']);
  const [owner, other] = [cluster.node('a'), cluster.node('b')];
  await cluster.run(owner.runtime.acquire('doc'));
  const follower = new RecordingFollower();
  const following = await cluster.run(other.runtime.follow('doc', 0, follower));
  const write = (from: number, to: number) => {
    return cluster.run(submitMany(owner.runtime, 'doc', 'p', { from, to }));
  };
  return { cluster, owner, other, follower, following, write };
}

function dropOps(node: ClusterNode): () => void {
  return node.bus.filter((frame) => (frame.kind === 'ops' ? 'drop' : undefined));
}

describe('a follower gets every op once and in order', () => {
  test('when messages in the middle are lost: the next one shows the gap', async () => {
    const { cluster, other, follower, write } = await ownerAndFollower();
    await write(1, 3);
    const endLoss = dropOps(other);
    await write(4, 9);
    endLoss();
    await write(10, 10);
    await cluster.settle();
    expect(follower.seqs).toEqual(upTo(10));
    expect(other.counter('gaps_replayed_total')).toBe(1);
  });

  test('when the last message is lost and nothing follows it', async () => {
    const { cluster, other, follower, write } = await ownerAndFollower();
    await write(1, 3);
    dropOps(other);
    await write(4, 5);
    await cluster.advance(1_000);
    expect(follower.seqs).toEqual(upTo(3));
    await cluster.advance(6_000);
    expect(follower.seqs).toEqual(upTo(5));
  });

  test('when every message comes twice', async () => {
    const { cluster, other, follower, write } = await ownerAndFollower();
    other.bus.filter(() => 'twice');
    await write(1, 20);
    await cluster.settle();
    expect(follower.seqs).toEqual(upTo(20));
    expect(other.counter('gaps_replayed_total')).toBe(0);
  });

  test('when the connection is cut and what was on its way is lost', async () => {
    const { cluster, other, follower, write } = await ownerAndFollower();
    await write(1, 2);
    const endLoss = dropOps(other);
    await write(3, 8);
    endLoss();
    cluster.broker.interrupt();
    await cluster.settle();
    expect(follower.seqs).toEqual(upTo(8));
  });

  test('when the log cannot be read for a while', async () => {
    const { cluster, other, follower, write } = await ownerAndFollower();
    const endLoss = dropOps(other);
    await write(1, 8);
    endLoss();
    other.faults.next('store.read', { fails: storeDown() }, 5);
    await write(9, 9);
    await cluster.advance(5_000);
    expect(follower.seqs).toEqual(upTo(9));
    expect(follower.errors).toEqual([]);
  });

  test('when it joins in the middle of a busy document', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const [owner, other] = [cluster.node('a'), cluster.node('b')];
    const followers: RecordingFollower[] = [];
    for (let burst = 0; burst < 20; burst++) {
      const from = burst * 10 + 1;
      const writing = submitMany(owner.runtime, 'doc', 'p', { from, to: from + 9 });
      const follower = new RecordingFollower();
      followers.push(follower);
      void other.runtime.follow('doc', 0, follower);
      await cluster.run(writing);
    }
    await cluster.advance(100);
    for (const follower of followers) expect(follower.seqs).toEqual(upTo(200));
  });

  test('when the log is read in many pages while ops keep coming', async () => {
    const cluster = await MemoryCluster.start(['a', 'b'], { documentEngine: 'log' });
    const [owner, other] = [cluster.node('a'), cluster.node('b')];
    await cluster.run(submitMany(owner.runtime, 'doc', 'p', { from: 1, to: 2_500 }));
    const pages = Promise.withResolvers<void>();
    other.faults.next('store.read', { waits: pages.promise });
    const follower = new RecordingFollower();
    const joining = other.runtime.follow('doc', 0, follower);
    await cluster.settle();
    await cluster.run(submitMany(owner.runtime, 'doc', 'p', { from: 2_501, to: 4_500 }));
    pages.resolve();
    await cluster.run(joining);
    await cluster.run(owner.runtime.submit('doc', op('p', 4_501)));
    await cluster.settle();
    expect(follower.seqs).toEqual(upTo(4_501));
  });

  test('when ops come between subscribing and looking at the log', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const [owner, other] = [cluster.node('a'), cluster.node('b')];
    await cluster.run(owner.runtime.submit('doc', op('p', 1)));
    const look = Promise.withResolvers<void>();
    other.faults.next('store.head', { waits: look.promise });
    const follower = new RecordingFollower();
    const joining = other.runtime.follow('doc', 'now', follower);
    await cluster.settle();
    await cluster.run(submitMany(owner.runtime, 'doc', 'p', { from: 2, to: 5 }));
    look.resolve();
    const following = await cluster.run(joining);
    await cluster.settle();
    expect(following.seq()).toBe(5);
    // They were kept as they came: the log did not have to be asked for them.
    expect(other.faults.count('store.read')).toBe(0);
    await cluster.run(owner.runtime.submit('doc', op('p', 6)));
    await cluster.settle();
    expect(follower.texts.at(-1)).toBe('{"p":6}');
  });

  test('when the owner changes', async () => {
    const { cluster, owner, follower, write } = await ownerAndFollower();
    await write(1, 5);
    await owner.kill();
    await cluster.run(submitMany(cluster.node('b').runtime, 'doc', 'q', { from: 1, to: 5 }));
    expect(follower.seqs).toEqual(upTo(10));
    expect(follower.seen.at(-1)?.epoch).toBeGreaterThan(follower.seen[0]!.epoch);
  });

  test('through a visitor, who reads the log by asking nodes', async () => {
    const { cluster, write } = await ownerAndFollower();
    await write(1, 30);
    const visitor = await cluster.visitor(false);
    const follower = new RecordingFollower();
    await cluster.run(visitor.follow('doc', 10, follower));
    await write(31, 35);
    await cluster.settle();
    expect(follower.seqs).toEqual(upTo(35).slice(10));
  });

  test('whatever the bus does to the messages', async () => {
    const delivery: fc.Arbitrary<Delivery> = fc.oneof(
      fc.constant('deliver' as const),
      fc.constant('drop' as const),
      fc.constant('twice' as const),
      fc.record({ delayMs: fc.integer({ min: 1, max: 40 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(delivery, { minLength: 5, maxLength: 30 }), async (plan) => {
        const { cluster, other, follower, write } = await ownerAndFollower();
        let at = 0;
        other.bus.filter((frame) => {
          return frame.kind === 'ops' ? (plan[at++ % plan.length] ?? 'deliver') : undefined;
        });
        for (let from = 1; from <= 40; from += 4) {
          await write(from, from + 3);
          await cluster.advance(7);
        }
        await cluster.advance(9_000);
        expect(follower.seqs).toEqual(upTo(40));
        expect(follower.errors).toEqual([]);
      }),
      { numRuns: 25, seed: 4_711 },
    );
  });
});

describe('following', () => {
  test("from 'now' starts after what is in the log", async () => {
    const { cluster, other, write } = await ownerAndFollower();
    await write(1, 4);
    const late = new RecordingFollower();
    const following = await cluster.run(other.runtime.follow('doc', 'now', late));
    expect(following.seq()).toBe(4);
    await write(5, 6);
    await cluster.settle();
    expect(late.seqs).toEqual([5, 6]);
    expect(following.seq()).toBe(6);
  });

  test('from a seq the log never reached fails, because it was cut or is another', async () => {
    const { cluster, other, write } = await ownerAndFollower();
    await write(1, 4);
    const failure = await cluster.failure(other.runtime.follow('doc', 5, new RecordingFollower()));
    expect(failure.code).toBe('LOG_REWOUND');
    expect(failure.error.facts).toMatchObject({ known: 5, found: 4 });
  });

  test('ends with close: nothing more is delivered, and the others go on', async () => {
    const { cluster, other, follower, following, write } = await ownerAndFollower();
    const second = new RecordingFollower();
    await cluster.run(other.runtime.follow('doc', 0, second));
    await write(1, 2);
    await cluster.settle();
    await following.close();
    await following.close();
    await write(3, 4);
    await cluster.settle();
    expect(follower.seqs).toEqual([1, 2]);
    expect(second.seqs).toEqual(upTo(4));
  });

  test('holds one subscription however many follow, and leaves it a while after the last', async () => {
    const { cluster, other, following } = await ownerAndFollower();
    const listeners = () => cluster.broker.channels.get('doc:doc')?.size ?? 0;
    const second = await cluster.run(other.runtime.follow('doc', 0, new RecordingFollower()));
    expect(
      other.faults.calls.filter(({ method, args }) => {
        return method === 'subscribe' && args[0] === 'doc:doc';
      }),
    ).toHaveLength(1);
    await following.close();
    await cluster.advance(10_000);
    expect(listeners()).toBe(1);
    await second.close();
    await cluster.advance(4_900);
    expect(listeners()).toBe(1);
    await cluster.advance(200);
    expect(listeners()).toBe(0);
  });

  test('again within the grace period keeps the subscription', async () => {
    const { cluster, other, following, write } = await ownerAndFollower();
    await following.close();
    await cluster.advance(4_000);
    const again = new RecordingFollower();
    await cluster.run(other.runtime.follow('doc', 0, again));
    await cluster.advance(10_000);
    await write(1, 2);
    await cluster.settle();
    expect(again.seqs).toEqual([1, 2]);
  });

  test('when the log cannot be read at the start fails and leaves nothing behind', async () => {
    const cluster = await MemoryCluster.start(['a']);
    const { runtime, faults } = cluster.node('a');
    faults.next('store.head', { fails: storeDown() });
    const failure = await cluster.failure(runtime.follow('doc', 0, new RecordingFollower()));
    expect(failure.code).toBe('STORE_UNAVAILABLE');
    expect(cluster.broker.channels.has('doc:doc')).toBe(false);
    const follower = new RecordingFollower();
    await cluster.run(runtime.follow('doc', 0, follower));
    await cluster.run(runtime.submit('doc', op('p', 1)));
    expect(follower.seqs).toEqual([1]);
  });

  test('by one who throws harms neither the others nor the owner', async () => {
    const { cluster, owner, write } = await ownerAndFollower();
    const faulty = new (class extends RecordingFollower {
      override ops(ops: readonly FollowedOp[]): void {
        super.ops(ops);
        throw new Error('a bug of the application');
      }
    })();
    await cluster.run(owner.runtime.follow('doc', 0, faulty));
    const sound = new RecordingFollower();
    await cluster.run(owner.runtime.follow('doc', 0, sound));
    await write(1, 1);
    await write(2, 2);
    expect(sound.seqs).toEqual([1, 2]);
    expect(owner.counter('documents_lost_total')).toBe(0);
    // It is told once that it is out, and hears nothing more.
    expect(faulty.seqs).toEqual([1]);
    expect(faulty.errors.map(({ message }) => message)).toEqual(['a bug of the application']);
  });
});
