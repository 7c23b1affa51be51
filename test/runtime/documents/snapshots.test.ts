import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../../src/foundation/errors.ts';
import { limits } from '../../../src/foundation/limits.ts';
import { jsonEngine } from '../../../src/runtime/documents/document-engine.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { bytes, op, submitMany } from '../../support/some-ops.ts';

const storeDown = () => new BackplaneError('STORE_UNAVAILABLE', 'the store did not answer');

async function oneNode(dials: Record<string, number> = {}) {
  const cluster = await MemoryCluster.start(['a', 'b'], { dials: { snapshotOps: 10, ...dials } });
  const node = cluster.node('a');
  const write = (from: number, to: number) => {
    return cluster.run(submitMany(node.runtime, 'doc', 'p', { from, to }));
  };
  const savedAt = async () => (await cluster.store.head('doc'))?.snapshotSeq;
  return { cluster, node, write, savedAt };
}

describe('a snapshot', () => {
  test('is saved after so many ops, not before', async () => {
    const { cluster, write, savedAt } = await oneNode();
    await write(1, 9);
    await cluster.settle();
    expect(await savedAt()).toBe(0);
    await write(10, 10);
    await cluster.settle();
    expect(await savedAt()).toBe(10);
  });

  test('is saved after so much time, however few the ops', async () => {
    const { cluster, write, savedAt } = await oneNode({ snapshotMs: 60_000 });
    await write(1, 2);
    await cluster.advance(59_000);
    expect(await savedAt()).toBe(0);
    await cluster.advance(3_000);
    expect(await savedAt()).toBe(2);
    const saves = cluster.node('a').faults.count('store.saveSnapshot');
    await cluster.advance(120_000);
    expect(cluster.node('a').faults.count('store.saveSnapshot')).toBe(saves);
  });

  test('bounds what the next owner has to read: the log after it, and no more', async () => {
    const { cluster, node, write } = await oneNode();
    for (let from = 1; from <= 2_001; from += 100) await write(from, from + 99);
    await cluster.settle();
    await write(2_101, 2_104);
    await node.kill();
    const { runtime, faults } = cluster.node('b');
    faults.calls.length = 0;
    expect((await cluster.run(runtime.submit('doc', op('p', 2_105)))).seq).toBe(2_105);
    const reads = faults.calls.filter(({ port, method }) => {
      return port === 'store' && method === 'read';
    });
    expect(reads).toHaveLength(1);
    expect(Number(reads[0]?.args[1])).toBeGreaterThanOrEqual(2_090);
  });

  test('restores the state and who had sent what', async () => {
    const { cluster, node, write } = await oneNode();
    await write(1, 10);
    await cluster.run(submitMany(node.runtime, 'doc', 'q', { from: 1, to: 10 }));
    await cluster.settle();
    await node.kill();
    const { runtime } = cluster.node('b');
    for (const peer of ['p', 'q']) {
      const again = await cluster.run(runtime.submit('doc', op(peer, 10)));
      expect(again.duplicate).toBe(true);
    }
    expect(await cluster.run(runtime.readState('doc'))).toMatchObject({
      seq: 20,
      state: '{"p":10,"q":10}',
    });
  });

  test('that fails costs nothing but a count, and is tried again later, not at every op', async () => {
    const { cluster, node, write, savedAt } = await oneNode();
    const end = node.faults.always('store.saveSnapshot', { fails: storeDown() });
    await write(1, 10);
    await cluster.settle();
    for (let counter = 11; counter <= 19; counter++) await write(counter, counter);
    expect(node.faults.count('store.saveSnapshot')).toBe(1);
    expect(node.counter('snapshots_failed_total')).toBe(1);
    end();
    await write(20, 20);
    await cluster.settle();
    expect(await savedAt()).toBe(20);
  });

  test('that is slow does not hold up the ops, nor does a second one start meanwhile', async () => {
    const { cluster, node, write, savedAt } = await oneNode();
    const saved = Promise.withResolvers<void>();
    node.faults.next('store.saveSnapshot', { waits: saved.promise });
    await write(1, 10);
    const receipts = await write(11, 40);
    expect(receipts.at(-1)?.seq).toBe(40);
    expect(node.faults.count('store.saveSnapshot')).toBe(1);
    saved.resolve();
    await cluster.settle();
    await write(41, 41);
    await cluster.settle();
    expect(await savedAt()).toBe(41);
  });

  test('is saved at a hand-over when there is enough in it', async () => {
    const { cluster, node, write, savedAt } = await oneNode();
    await write(1, 4);
    await cluster.run(node.runtime.release('doc'));
    expect(await savedAt()).toBe(4);
    await cluster.run(node.runtime.submit('doc', op('p', 5)));
    await cluster.run(node.runtime.release('doc'));
    expect(await savedAt()).toBe(4);
  });

  test('of an owner who was fenced meanwhile changes nothing', async () => {
    const { cluster, node, write, savedAt } = await oneNode();
    const may = Promise.withResolvers<void>();
    node.faults.next('store.saveSnapshot', { waitsFirst: may.promise });
    await write(1, 10);
    const session = node.runtime.session() ?? '';
    const beat = (await cluster.engine.sessions.read(session))?.beat ?? -1;
    await cluster.engine.sessions.fence(session, beat, 'fenced');
    await cluster.run(cluster.node('b').runtime.acquire('doc'));
    may.resolve();
    await cluster.settle();
    expect(await savedAt()).toBe(0);
  });

  test('under way when the document is lost does not keep it in memory, to be saved for ever', async () => {
    const { cluster, node, write } = await oneNode({ snapshotMs: 2_000 });
    const may = Promise.withResolvers<void>();
    node.faults.next('store.saveSnapshot', { waits: may.promise });
    await write(1, 10);
    await write(11, 14);
    const releasing = node.runtime.release('doc').catch(() => {});
    await cluster.settle();
    may.resolve();
    await cluster.run(releasing);
    const saves = node.faults.count('store.saveSnapshot');
    await cluster.advance(60_000);
    expect(node.faults.count('store.saveSnapshot')).toBe(saves);
  });

  test('whose append came back after the session was lost is not kept in memory either', async () => {
    const { cluster, node } = await oneNode({ snapshotMs: 2_000, snapshotOps: 100 });
    await cluster.run(node.runtime.acquire('doc'));
    const may = Promise.withResolvers<void>();
    node.faults.next('store.append', { waits: may.promise });
    node.runtime.submit('doc', op('p', 1), { timeoutMs: 1 }).catch(() => {});
    await cluster.settle();
    const session = node.runtime.session() ?? '';
    const beat = (await cluster.engine.sessions.read(session))?.beat ?? -1;
    await cluster.engine.sessions.fence(session, beat, 'fenced');
    await cluster.until('a new session', () => {
      return node.runtime.session() !== null && node.runtime.session() !== session;
    });
    may.resolve();
    await cluster.advance(60_000);
    expect(node.faults.count('store.saveSnapshot')).toBe(0);
  });

  test('that cannot be read is STORE_CORRUPT with the document in it, not an empty document', async () => {
    const { cluster, node, write } = await oneNode();
    await write(1, 10);
    await cluster.settle();
    await cluster.run(node.runtime.release('doc'));
    const head = await cluster.store.head('doc');
    const rubbish = { seq: 11, chain: head?.chain ?? '', data: bytes('{"v":9}') };
    expect(await cluster.store.saveSnapshot('doc', head?.epoch ?? 0, rubbish)).toBe(true);
    const failure = await cluster.failure(cluster.node('b').runtime.acquire('doc'));
    expect(failure.code).toBe('STORE_CORRUPT');
    expect(failure.error.message).toContain('doc');
  });

  test('forgets the peers that stayed away for longer than any may', async () => {
    const { cluster, node, write } = await oneNode();
    await write(1, 10);
    node.clock.jumpWall(limits.peerRetentionMs + 1_000);
    // With the next renewal the session is trusted again.
    await cluster.advance(6_000);
    await cluster.run(submitMany(node.runtime, 'doc', 'q', { from: 1, to: 10 }));
    await cluster.settle();
    const snapshot = await cluster.store.readSnapshot('doc');
    const { peers } = JSON.parse(Buffer.from(snapshot?.data ?? []).toString());
    expect(peers.map(([peer]: [string]) => peer)).toEqual(['q']);
    // The owner that saved it has forgotten them too, as the next one will have.
    const again = await cluster.failure(node.runtime.submit('doc', op('p', 11)));
    expect([again.code, again.error.facts?.expected]).toEqual(['OP_GAP', 1]);
  });
});

describe('the state of a json document', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'toString');
  const patch = fc.letrec((tie) => ({
    patch: fc.oneof(
      { maxDepth: 3 },
      fc.constant(null),
      fc.integer(),
      fc.array(fc.integer(), { maxLength: 2 }),
      fc.dictionary(key, tie('patch'), { maxKeys: 3 }),
    ),
  })).patch;

  test('is the same from a snapshot and the ops after it as from all the ops', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(patch, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 10 }),
        async (patches, snapshotOps) => {
          const cluster = await MemoryCluster.start(['a', 'b'], { dials: { snapshotOps } });
          const payloads = patches.map((value) => bytes(JSON.stringify(value)));
          for (const [index, payload] of payloads.entries()) {
            const { runtime } = cluster.nodes[index % 2]!;
            await cluster.run(runtime.submit('doc', { peer: 'p', counter: index + 1, payload }));
          }
          const { state } = await cluster.run(cluster.node('b').runtime.readState('doc'));
          expect(state).toBe(jsonEngine.fold(null, payloads));
        },
      ),
      { numRuns: 30, seed: 7 },
    );
  });

  test.each([
    // The examples of RFC 7396, appendix A.
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', 'null', 'null'],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])('%s patched with %s is %s', (before, change, after) => {
    expect(jsonEngine.fold(before, [bytes(change)])).toBe(after);
  });
});
