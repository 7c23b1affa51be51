import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../../src/foundation/errors.ts';
import { limits } from '../../../src/foundation/limits.ts';
import type { Append } from '../../../src/ports/store.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { bytes, op, submitMany, upTo } from '../../support/some-ops.ts';

const storeDown = () => new BackplaneError('STORE_UNAVAILABLE', 'the store did not answer');

async function oneNode(options = {}) {
  const cluster = await MemoryCluster.start(['a'], options);
  const node = cluster.node('a');
  await cluster.run(node.runtime.acquire('doc'));
  return { cluster, node, ...node };
}

describe('acknowledging', () => {
  test('comes after the append, never before', async () => {
    const { cluster, runtime, faults } = await oneNode();
    const mayAnswer = Promise.withResolvers<void>();
    faults.next('store.append', { waitsFirst: mayAnswer.promise });
    let acknowledged = false;
    const receipt = runtime.submit('doc', op('p', 1)).then((got) => {
      acknowledged = true;
      return got;
    });
    await cluster.advance(1_000);
    expect([acknowledged, (await cluster.store.head('doc'))?.seq]).toEqual([false, 0]);
    mayAnswer.resolve();
    expect((await cluster.run(receipt)).seq).toBe(1);
    expect((await cluster.store.head('doc'))?.seq).toBe(1);
  });

  test('of an append that succeeded is right even if the session ended meanwhile', async () => {
    const { cluster, runtime, faults } = await oneNode();
    const mayAnswer = Promise.withResolvers<void>();
    faults.next('store.append', { waits: mayAnswer.promise });
    faults.always('sessions.renew', { hangs: true });
    const receipt = runtime.submit('doc', op('p', 1), { timeoutMs: 60_000 });
    await cluster.advance(29_900);
    expect(runtime.ownedEpoch('doc')).toBeNull();
    mayAnswer.resolve();
    expect((await cluster.run(receipt)).seq).toBe(1);
  });
});

describe('ops that come while an append is under way', () => {
  test('form the next one: far fewer appends than ops, in the order of coming', async () => {
    const { cluster, runtime, faults } = await oneNode();
    const mayAnswer = Promise.withResolvers<void>();
    faults.next('store.append', { waits: mayAnswer.promise });
    const first = runtime.submit('doc', op('p', 1));
    const rest = submitMany(runtime, 'doc', 'p', { from: 2, to: 300 });
    await cluster.settle();
    expect(faults.count('store.append')).toBe(1);
    mayAnswer.resolve();
    await cluster.run(first);
    expect((await cluster.run(rest)).map(({ seq }) => seq)).toEqual(upTo(300).slice(1));
    expect(faults.count('store.append')).toBe(2);
  });

  test('are appended in batches of bounded length and size', async () => {
    const { cluster, runtime, faults } = await oneNode({ documentEngine: 'log' });
    const large = new Uint8Array(1_000_000);
    const receipts = [
      submitMany(runtime, 'doc', 'p', { from: 1, to: 1_200 }),
      ...[1, 2, 3, 4, 5, 6].map((counter) => {
        return runtime.submit('doc', { peer: 'q', counter, payload: large }).then((one) => [one]);
      }),
    ];
    await cluster.run(Promise.all(receipts));
    const appends = faults.calls
      .filter(({ method }) => method === 'append')
      .map(({ args }) => (args[0] as Append).ops);
    for (const ops of appends) {
      const size = ops.reduce((sum, { payload }) => sum + payload.length, 0);
      expect(ops.length).toBeLessThanOrEqual(limits.appendOpsMax);
      expect(size).toBeLessThanOrEqual(limits.appendBytesMax);
    }
    expect(appends.flat().map(({ seq }) => seq)).toEqual(upTo(1_206));
  });

  test('are refused as OVERLOADED beyond a limit, and are not stored', async () => {
    const { cluster, runtime, faults } = await oneNode();
    const mayAnswer = Promise.withResolvers<void>();
    faults.next('store.append', { waits: mayAnswer.promise });
    const all = submitMany(runtime, 'doc', 'p', { from: 1, to: limits.opsWaitingMax });
    await cluster.settle();
    const failure = await cluster.failure(runtime.submit('doc', op('q', 1), { timeoutMs: 20 }));
    expect(failure).toMatchObject({ code: 'OVERLOADED', certainty: 'definite' });
    mayAnswer.resolve();
    await cluster.run(all);
    expect((await cluster.store.head('doc'))?.seq).toBe(limits.opsWaitingMax);
  });
});

describe('an append whose outcome is not known', () => {
  test.each([
    ['was not carried out', { fails: storeDown() }],
    ['was carried out', { carriedOutThenFails: storeDown() }],
  ])('drops the document and loads it again; when it %s, each op is there once', async (_was, fault) => {
    const { cluster, runtime, faults, counter } = await oneNode();
    await cluster.run(submitMany(runtime, 'doc', 'p', { from: 1, to: 3 }));
    faults.next('store.append', fault);
    const receipts = await cluster.run(submitMany(runtime, 'doc', 'p', { from: 4, to: 60 }));
    expect(receipts.map(({ seq }) => seq)).toEqual(upTo(60).slice(3));
    const log = await cluster.store.read('doc', 0, 1_000);
    expect(log.map(({ counter: at }) => at)).toEqual(upTo(60));
    expect(counter('appends_ambiguous_total')).toBe(1);
    expect(counter('documents_acquired_total')).toBe(2);
  });

  test('is never acknowledged as a guess: an op that is given up on then may have happened', async () => {
    const { cluster, runtime, faults } = await oneNode();
    faults.always('store.append', { carriedOutThenFails: storeDown() });
    faults.always('store.fence', { fails: storeDown() });
    const failure = await cluster.failure(runtime.submit('doc', op('p', 1), { timeoutMs: 500 }));
    expect(failure.certainty).toBe('indefinite');
    expect((await cluster.store.head('doc'))?.seq).toBe(1);
  });

  test('because the session was lost meanwhile may have happened, whatever else is definite', async () => {
    const { cluster, runtime, faults } = await oneNode();
    const mayAnswer = Promise.withResolvers<void>();
    faults.next('store.append', { waits: mayAnswer.promise });
    const receipt = runtime.submit('doc', op('p', 1), { timeoutMs: 5_200 });
    await cluster.settle();
    const session = runtime.session() ?? '';
    const beat = (await cluster.engine.sessions.read(session))?.beat ?? -1;
    await cluster.engine.sessions.fence(session, beat, 'fenced');
    faults.always('leases.read', { hangs: true });
    faults.always('leases.claim', { hangs: true });
    const failure = await cluster.failure(receipt);
    expect(failure.certainty).toBe('indefinite');
    expect((await cluster.store.head('doc'))?.seq).toBe(1);
    mayAnswer.resolve();
  });
});

describe('what is refused', () => {
  test('a payload the engine cannot apply leaves no trace: its counter is still free', async () => {
    const { cluster, runtime } = await oneNode();
    const bad = runtime.submit('doc', { peer: 'p', counter: 1, payload: bytes('{"a":') });
    expect((await cluster.failure(bad)).code).toBe('PAYLOAD_INVALID');
    const polluting = bytes('{"__proto__":{"polluted":1}}');
    const worse = runtime.submit('doc', { peer: 'p', counter: 1, payload: polluting });
    expect((await cluster.failure(worse)).code).toBe('PAYLOAD_INVALID');
    expect((await cluster.run(runtime.submit('doc', op('p', 1)))).seq).toBe(1);
  });

  test('an op with a gap before it, with the counter that is expected', async () => {
    const { cluster, runtime } = await oneNode();
    await cluster.run(submitMany(runtime, 'doc', 'p', { from: 1, to: 3 }));
    const failure = await cluster.failure(runtime.submit('doc', op('p', 6)));
    expect(failure).toMatchObject({ code: 'OP_GAP', certainty: 'definite' });
    expect(failure.error.facts).toMatchObject({ expected: 4 });
    expect(failure.tookMs).toBe(0);
  });

  test('the first op of a peer with any counter but 1', async () => {
    const { cluster, runtime } = await oneNode();
    expect((await cluster.failure(runtime.submit('doc', op('p', 2)))).code).toBe('OP_GAP');
  });

  test.each([
    ['', 1, 'REQUEST_INVALID'],
    ['a b', 1, 'REQUEST_INVALID'],
    ['p:q', 1, 'REQUEST_INVALID'],
    ['p', 0, 'REQUEST_INVALID'],
    ['p', -1, 'REQUEST_INVALID'],
    ['p', 1.5, 'REQUEST_INVALID'],
    ['p', Number.MAX_SAFE_INTEGER + 2, 'REQUEST_INVALID'],
  ])('an op of peer %j with counter %d', async (peer, counter, code) => {
    const { cluster, runtime } = await oneNode();
    const failure = await cluster.failure(runtime.submit('doc', op(peer, counter)));
    expect(failure).toMatchObject({ code, certainty: 'definite' });
  });

  test('a payload above the limit', async () => {
    const { cluster, runtime } = await oneNode({ documentEngine: 'log' });
    const payload = new Uint8Array(limits.payloadBytesMax + 1);
    const failure = await cluster.failure(
      runtime.submit('doc', { peer: 'p', counter: 1, payload }),
    );
    expect(failure.code).toBe('PAYLOAD_TOO_LARGE');
    const largest = payload.subarray(1);
    const receipt = runtime.submit('doc', { peer: 'p', counter: 1, payload: largest });
    expect((await cluster.run(receipt)).seq).toBe(1);
  });
});
