import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../../src/foundation/errors.ts';
import { limits } from '../../../src/foundation/limits.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { op, submitMany, upTo } from '../../support/some-ops.ts';

async function logOf(cluster: MemoryCluster, doc: string): Promise<string[]> {
  const ops: string[] = [];
  for (;;) {
    const page = await cluster.store.read(doc, ops.length, 1_000);
    if (page.length === 0) return ops;
    ops.push(...page.map(({ peer, counter }) => `${peer}:${counter}`));
  }
}

describe('the same op sent again gives the same seq and is applied once', () => {
  test('while the first is still under way', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const { runtime, faults } = cluster.node('a');
    await cluster.run(runtime.acquire('doc'));
    const mayAnswer = Promise.withResolvers<void>();
    faults.next('store.append', { waits: mayAnswer.promise });
    const first = runtime.submit('doc', op('p', 1));
    const again = runtime.submit('doc', op('p', 1));
    const through = cluster.node('b').runtime.submit('doc', op('p', 1));
    await cluster.settle();
    mayAnswer.resolve();
    const receipts = await cluster.run(Promise.all([first, again, through]));
    expect(receipts.map(({ seq }) => seq)).toEqual([1, 1, 1]);
    expect(receipts.map(({ duplicate }) => duplicate)).toEqual([false, true, true]);
    expect(await logOf(cluster, 'doc')).toEqual(['p:1']);
  });

  test('through another node', async () => {
    const cluster = await MemoryCluster.start(['a', 'b', 'c']);
    await cluster.run(submitMany(cluster.node('a').runtime, 'doc', 'p', { from: 1, to: 5 }));
    const again = await cluster.run(cluster.node('c').runtime.submit('doc', op('p', 4)));
    expect(again).toMatchObject({ seq: 4, duplicate: true });
    expect(await logOf(cluster, 'doc')).toHaveLength(5);
  });

  test('after a failover, through another node', async () => {
    const cluster = await MemoryCluster.start(['a', 'b', 'c']);
    await cluster.run(submitMany(cluster.node('a').runtime, 'doc', 'q', { from: 1, to: 7 }));
    await cluster.run(submitMany(cluster.node('a').runtime, 'doc', 'p', { from: 1, to: 5 }));
    await cluster.node('a').kill();
    const receipts = await cluster.run(
      submitMany(cluster.node('b').runtime, 'doc', 'p', { from: 3, to: 6 }),
    );
    expect(receipts.map(({ seq, duplicate }) => [seq, duplicate])).toEqual([
      [10, true],
      [11, true],
      [12, true],
      [13, false],
    ]);
  });

  test('when the answer of the owner was lost with the owner', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    await cluster.run(cluster.node('a').runtime.submit('doc', op('p', 1)));
    const { runtime, bus } = cluster.node('b');
    const endLoss = bus.filter((frame) => (frame.kind === 'reply' ? 'drop' : undefined));
    const receipt = runtime.submit('doc', op('p', 2));
    await cluster.advance(50);
    expect((await cluster.store.head('doc'))?.seq).toBe(2);
    await cluster.node('a').kill();
    endLoss();
    expect(await cluster.run(receipt)).toMatchObject({ seq: 2, duplicate: true, nodeId: 'b' });
  });

  test('for counters far beyond what the owner keeps in memory, also after a failover', async () => {
    const cluster = await MemoryCluster.start(['a', 'b'], { documentEngine: 'log' });
    const many = 4 * limits.tailOpsKept;
    const { runtime } = cluster.node('a');
    await cluster.run(submitMany(runtime, 'doc', 'p', { from: 1, to: 10 }));
    await cluster.run(submitMany(runtime, 'doc', 'other', { from: 1, to: many }));
    await cluster.run(submitMany(runtime, 'doc', 'p', { from: 11, to: 12 }));
    await cluster.run(submitMany(runtime, 'doc', 'other', { from: many + 1, to: 2 * many }));
    const seqOf = (counter: number) => (counter <= 10 ? counter : counter + many);
    for (const counter of [1, 9, 10, 11, 12]) {
      const receipt = await cluster.run(runtime.submit('doc', op('p', counter)));
      expect(receipt).toMatchObject({ seq: seqOf(counter), duplicate: true, nodeId: 'a' });
    }
    await cluster.node('a').kill();
    for (const counter of [1, 9, 10, 11, 12]) {
      const receipt = await cluster.run(cluster.node('b').runtime.submit('doc', op('p', counter)));
      expect(receipt).toMatchObject({ seq: seqOf(counter), duplicate: true, nodeId: 'b' });
    }
    expect(await logOf(cluster, 'doc')).toHaveLength(2 * many + 12);
  });

  test('when deduplication is known from a snapshot only', async () => {
    const cluster = await MemoryCluster.start(['a', 'b'], { dials: { snapshotOps: 10 } });
    await cluster.run(submitMany(cluster.node('a').runtime, 'doc', 'p', { from: 1, to: 10 }));
    await cluster.settle();
    expect((await cluster.store.head('doc'))?.snapshotSeq).toBe(10);
    await cluster.node('a').kill();
    const { runtime } = cluster.node('b');
    expect(await cluster.run(runtime.submit('doc', op('p', 10)))).toMatchObject({
      seq: 10,
      duplicate: true,
    });
    expect((await cluster.run(runtime.submit('doc', op('p', 11)))).seq).toBe(11);
  });
});

test('ops a peer sends without waiting keep their order through a failover in the middle', async () => {
  const cluster = await MemoryCluster.start(['a', 'b', 'c']);
  const [owner, proxy] = [cluster.node('a'), cluster.node('b')];
  await cluster.run(owner.runtime.acquire('doc'));
  let appends = 0;
  owner.faults.rule(({ method }) => {
    if (method !== 'append') return undefined;
    appends += 1;
    if (appends < 3) return undefined;
    // The third append is carried out, but the process dies before it hears of it.
    void owner.kill();
    return { hangs: true };
  });
  const receipts: Promise<{ seq: number }>[] = [];
  for (let counter = 1; counter <= 64; counter++) {
    receipts.push(proxy.runtime.submit('doc', op('p', counter)));
    if (counter % 8 === 0) await cluster.settle();
  }
  const seqs = (await cluster.run(Promise.all(receipts))).map(({ seq }) => seq);
  expect(seqs).toEqual(upTo(64));
  expect(await logOf(cluster, 'doc')).toEqual(upTo(64).map((counter) => `p:${counter}`));
});

test('ops whose predecessors arrive later are held back, not refused', async () => {
  const cluster = await MemoryCluster.start(['a', 'b']);
  await cluster.run(cluster.node('a').runtime.acquire('doc'));
  // The first op of each pair is delayed on its way to the owner, so the second overtakes it.
  cluster.node('a').bus.filter((frame) => {
    if (frame.kind !== 'request' || frame.plane !== 'op') return undefined;
    const counter = Number(frame.method.split(':')[1]);
    return counter % 2 === 1 ? { delayMs: 12 } : 'deliver';
  });
  const { runtime } = cluster.node('b');
  const receipts = await cluster.run(submitMany(runtime, 'doc', 'p', { from: 1, to: 20 }));
  expect(receipts.map(({ seq }) => seq)).toEqual(upTo(20));
});

test('ops that were held back follow their predecessor at once, however many they are', async () => {
  const cluster = await MemoryCluster.start(['a', 'b']);
  await cluster.run(cluster.node('a').runtime.acquire('doc'));
  cluster.node('a').bus.filter((frame) => {
    const isFirst = frame.kind === 'request' && frame.method === 'p:1';
    return isFirst ? { delayMs: 500 } : undefined;
  });
  const startedMs = cluster.clock.monotonicMs();
  const { runtime } = cluster.node('b');
  const receipts = await cluster.run(submitMany(runtime, 'doc', 'p', { from: 1, to: 200 }));
  expect(receipts.map(({ seq }) => seq)).toEqual(upTo(200));
  expect(cluster.clock.monotonicMs() - startedMs).toBeLessThan(1_000);
});

test('an op overtaken by the answer of its predecessor is not refused either', async () => {
  const cluster = await MemoryCluster.start(['a', 'b']);
  await cluster.run(cluster.node('a').runtime.acquire('doc'));
  cluster.node('a').bus.filter((frame) => {
    const isFirst = frame.kind === 'request' && frame.method === 'p:1';
    return isFirst ? { delayMs: 5 } : undefined;
  });
  // The refusal of the second comes back after the first was acknowledged.
  cluster.node('b').bus.filter((frame) => {
    const isRefusal = frame.kind === 'reply' && frame.error?.code === 'OP_GAP';
    return isRefusal ? { delayMs: 20 } : undefined;
  });
  const { runtime } = cluster.node('b');
  const receipts = await cluster.run(submitMany(runtime, 'doc', 'p', { from: 1, to: 2 }));
  expect(receipts.map(({ seq }) => seq)).toEqual([1, 2]);
});

test('whatever is lost, repeated, killed or ambiguous, each acknowledged op is there once and where it was said', async () => {
  const fault = fc.constantFrom(
    'none',
    'kill',
    'wipe',
    'before',
    'after',
    'lossy',
    'twice',
    'release',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { minLength: 1, maxLength: 6 }), async (faults) => {
      const cluster = await MemoryCluster.start(['a', 'b', 'c']);
      const acknowledged = new Map<string, number>();
      const alive = new Set(['a', 'b', 'c']);
      const storeDown = new BackplaneError('STORE_UNAVAILABLE', 'no answer');
      for (const [round, kind] of faults.entries()) {
        const [first = 'a', last = 'a'] = [[...alive].at(0), [...alive].at(-1)];
        const owner = cluster.node(round % 2 === 0 ? first : last);
        const peers = ['p', 'q'].map((peer) => {
          const from = round * 4 + 1;
          const through = cluster.node(
            [...alive][(round + (peer === 'p' ? 0 : 1)) % alive.size] ?? 'c',
          );
          return submitMany(
            through.runtime,
            'doc',
            peer,
            { from, to: from + 3 },
            { timeoutMs: 60_000 },
          );
        });
        const inject: Record<string, () => unknown> = {
          none: () => {},
          kill: () => {
            if (alive.size < 2) return;
            // Never the ones the peers speak through: their ops would rightly be unanswered.
          },
          wipe: () => cluster.broker.wipe(),
          before: () => owner.faults.next('store.append', { fails: storeDown }),
          after: () => owner.faults.next('store.append', { carriedOutThenFails: storeDown }),
          lossy: () => {
            let seen = 0;
            const end = owner.bus.filter(() => (++seen % 3 === 0 ? 'drop' : 'deliver'));
            cluster.clock.after(400, end);
          },
          twice: () => owner.bus.filter(() => 'twice'),
          release: () => void owner.runtime.release('doc').catch(() => {}),
        };
        inject[kind]?.();
        const receipts = (await cluster.run(Promise.all(peers))).flat();
        for (const { opId, seq } of receipts) acknowledged.set(opId, seq);
        if (kind === 'kill' && alive.size > 1) {
          await cluster.node(last).kill();
          alive.delete(last);
        }
      }
      const log = await logOf(cluster, 'doc');
      expect(new Set(log).size).toBe(log.length);
      for (const [opId, seq] of acknowledged) expect(log[seq - 1]).toBe(opId);
      expect(log).toHaveLength(faults.length * 8);
    }),
    { numRuns: 40, seed: 20_260_101, endOnFailure: true },
  );
}, 60_000);
