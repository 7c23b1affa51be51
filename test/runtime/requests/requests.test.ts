import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../../src/foundation/errors.ts';
import { limits } from '../../../src/foundation/limits.ts';
import { sleep } from '../../../src/ports/clock.ts';
import { askingCluster, nothing, toAll, toDoc, toNode } from '../../support/asking-cluster.ts';
import { bytes, op, text } from '../../support/some-ops.ts';

describe('a request', () => {
  test('is answered by the node it was sent to, with what the handler returned', async () => {
    const { cluster, a, b } = await askingCluster();
    b.runtime.handle('echo', ({ payload }) => payload);
    const sent = a.runtime.request(toNode('b'), 'echo', bytes('hello'));
    const { replies, silent } = await cluster.run(sent);
    expect(replies.map(({ nodeId, payload }) => [nodeId, text(payload ?? nothing)])).toEqual([
      ['b', 'hello'],
    ]);
    expect(silent).toEqual([]);
  });

  test('to nobody fails at once and definitely, not at its deadline', async () => {
    const { cluster, b, ask } = await askingCluster({ fastTakeover: false });
    await b.kill();
    const failure = await cluster.failure(ask(toNode('b'), 'ping'));
    expect(failure).toMatchObject({ code: 'NO_RESPONDER', certainty: 'definite', tookMs: 0 });
  });

  test('to a node that dies meanwhile fails when its death is noticed, and may have been run', async () => {
    const { cluster, b, ask } = await askingCluster();
    b.runtime.handle('wait', () => new Promise(() => {}));
    const failing = cluster.failure(ask(toNode('b'), 'wait'));
    await cluster.settle();
    await b.kill();
    const failure = await failing;
    expect(failure).toMatchObject({ code: 'RESPONDER_GONE', certainty: 'indefinite' });
    expect(failure.tookMs).toBeLessThan(500);
  });

  test('to an unknown or a dead node says which of the two', async () => {
    const { cluster, c, ask } = await askingCluster();
    expect((await cluster.failure(ask(toNode('nobody'), 'ping'))).code).toBe('NODE_UNKNOWN');
    await cluster.run(c.runtime.stop());
    expect((await cluster.failure(ask(toNode('c'), 'ping'))).code).toBe('NODE_DEAD');
  });

  test('without an answer fails at its deadline, not later, and says who was asked', async () => {
    const { cluster, b, ask } = await askingCluster();
    b.runtime.handle('wait', () => new Promise(() => {}));
    const failure = await cluster.failure(ask(toNode('b'), 'wait', 480));
    expect(failure).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      certainty: 'indefinite',
      tookMs: 480,
    });
    expect(failure.error.facts).toMatchObject({ session: b.runtime.session() });
  });

  test('to a document whose owner is silent says who was asked as well', async () => {
    const { cluster, b, ask } = await askingCluster();
    await cluster.run(b.runtime.submit('doc', op('p', 1)));
    b.runtime.handle('wait', () => new Promise(() => {}));
    const failure = await cluster.failure(ask(toDoc('doc'), 'wait', 480));
    expect(failure).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      certainty: 'indefinite',
      tookMs: 480,
    });
    expect(failure.error.facts).toMatchObject({ session: b.runtime.session() });
  });

  test.each([
    'leases.read',
    'store.head',
  ] as const)('ends by its deadline also when %s hangs for ever', async (hanging) => {
    const { cluster, a, ask } = await askingCluster();
    a.faults.always(hanging, { hangs: true });
    const failure = await cluster.failure(ask(toDoc('doc'), 'ping', 300));
    expect(failure).toMatchObject({ code: 'DEADLINE_EXCEEDED', tookMs: 300 });
  });

  test('that runs here ends by its deadline also when the handler hangs for ever', async () => {
    const { cluster, a, ask } = await askingCluster();
    await cluster.run(a.runtime.submit('doc', op('p', 1)));
    a.runtime.handle('wait', () => new Promise(() => {}));
    const failure = await cluster.failure(ask(toDoc('doc'), 'wait', 300));
    expect(failure).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      certainty: 'indefinite',
      tookMs: 300,
    });
  });

  test('that is given up ends then, and may have been run', async () => {
    const { cluster, a, b } = await askingCluster();
    b.runtime.handle('wait', () => new Promise(() => {}));
    const abort = new AbortController();
    const { signal } = abort;
    const failing = cluster.failure(
      a.runtime.request(toNode('b'), 'wait', nothing, { signal, timeoutMs: 10_000 }),
    );
    cluster.clock.after(50, () => abort.abort());
    expect(await failing).toMatchObject({
      code: 'INTERRUPTED',
      certainty: 'indefinite',
      tookMs: 50,
    });
  });

  test('leaves nothing behind, however it ended', async () => {
    const { cluster, a, b, ask } = await askingCluster();
    b.runtime.handle('wait', () => new Promise(() => {}));
    await cluster.failure(ask(toNode('b'), 'wait', 100));
    await cluster.run(ask(toNode('b'), 'ping'));
    a.clock.jumpWall(60_000);
    const uncertain = await cluster.failure(ask(toNode('b'), 'ping', 100));
    expect(uncertain.code).toBe('LEASE_UNCERTAIN');
    expect(a.runtime.metrics().gauges.requests_pending).toBe(0);
  });

  test('whose payload is too large is refused before it is sent', async () => {
    const { cluster, a } = await askingCluster();
    const large = new Uint8Array(limits.payloadBytesMax + 1);
    const failure = await cluster.failure(a.runtime.request(toNode('b'), 'ping', large));
    expect(failure).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', certainty: 'definite' });
  });

  test('whose answer is too large fails, but was run', async () => {
    const { cluster, b, ask } = await askingCluster();
    b.runtime.handle('large', () => new Uint8Array(limits.frameBytesMax));
    const failure = await cluster.failure(ask(toNode('b'), 'large'));
    expect(failure).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', certainty: 'indefinite' });
  });
});

describe('a request to all', () => {
  test('names every node that answered and every node that did not', async () => {
    const { cluster, b, c, ask } = await askingCluster({ fastTakeover: false });
    for (const { runtime } of [b, c]) runtime.handle('hi', () => bytes('hi'));
    c.pause();
    const { replies, silent } = await cluster.run(ask(toAll, 'hi', 700));
    expect(replies.map(({ nodeId, ok, error }) => [nodeId, ok, error?.code])).toEqual([
      ['a', false, 'METHOD_UNKNOWN'],
      ['b', true, undefined],
    ]);
    expect(silent).toEqual(['c']);
  });

  test('does not call a node silent that refused', async () => {
    const { cluster, b, c, ask } = await askingCluster();
    for (const node of [b, c]) {
      node.runtime.handle('hi', () => {
        throw new BackplaneError('DRAINING', 'not now');
      });
    }
    b.runtime.handle('hi', () => new Uint8Array(limits.frameBytesMax));
    const { replies, silent } = await cluster.run(ask(toAll, 'hi', 700));
    expect(silent).toEqual([]);
    expect(replies.map(({ nodeId, error }) => [nodeId, error?.code])).toEqual([
      ['a', 'METHOD_UNKNOWN'],
      ['b', 'PAYLOAD_TOO_LARGE'],
      ['c', 'DRAINING'],
    ]);
  });

  test('names a killed node among the silent, and does not wait for its deadline', async () => {
    const { cluster, c, ask } = await askingCluster();
    await c.kill();
    const startedMs = cluster.clock.monotonicMs();
    const { replies, silent } = await cluster.run(ask(toAll, 'ping'));
    expect(replies.map(({ nodeId }) => nodeId)).toEqual(['a', 'b']);
    expect(silent).toEqual(['c']);
    expect(cluster.clock.monotonicMs() - startedMs).toBeLessThan(1_000);
  });
});

describe('a call to a document', () => {
  test('is run by its owner, through whichever node it comes', async () => {
    const { cluster, b, c, ask } = await askingCluster();
    await cluster.run(b.runtime.submit('doc', op('p', 1)));
    for (const { runtime, nodeId } of [b, c]) runtime.handle('who', () => bytes(nodeId));
    const { replies } = await cluster.run(ask(toDoc('doc'), 'who'));
    expect(replies.map(({ nodeId, hops }) => [nodeId, hops])).toEqual([['b', 1]]);
  });

  test('does not bring a document into being', async () => {
    const { cluster, ask } = await askingCluster();
    const failure = await cluster.failure(ask(toDoc('nothing'), 'ping'));
    expect(failure).toMatchObject({ code: 'DOCUMENT_UNKNOWN', certainty: 'definite' });
    expect(await cluster.engine.leases.read('nothing')).toBeNull();
    expect(await cluster.store.head('nothing')).toBeNull();
  });

  test('is never sent again after a failure that leaves open whether it was run', async () => {
    const { cluster, b, ask } = await askingCluster();
    await cluster.run(b.runtime.submit('doc', op('p', 1)));
    let ran = 0;
    for (const { runtime } of cluster.nodes) {
      runtime.handle('count', () => {
        ran += 1;
        return new Promise(() => {});
      });
    }
    const failing = cluster.failure(ask(toDoc('doc'), 'count'));
    await cluster.settle();
    await b.kill();
    expect(await failing).toMatchObject({ code: 'RESPONDER_GONE', certainty: 'indefinite' });
    await cluster.advance(20_000);
    expect(ran).toBe(1);
  });

  test('is sent on when it certainly was not run: to the next owner after the last one died', async () => {
    const { cluster, b, ask } = await askingCluster();
    await cluster.run(b.runtime.submit('doc', op('p', 1)));
    await cluster.run(ask(toDoc('doc'), 'ping'));
    await b.kill();
    const { replies } = await cluster.run(ask(toDoc('doc'), 'ping'));
    expect(replies[0]).toMatchObject({ nodeId: 'a', ok: true });
  });

  test('follows a document that moved without the caller noticing', async () => {
    const { cluster, b, c, ask } = await askingCluster();
    await cluster.run(b.runtime.submit('doc', op('p', 1)));
    await cluster.run(ask(toDoc('doc'), 'ping'));
    await cluster.run(b.runtime.release('doc', c.runtime.session()));
    const { replies } = await cluster.run(ask(toDoc('doc'), 'ping'));
    expect(replies[0]).toMatchObject({ nodeId: 'c', ok: true });
  });
});

test('an op is sent again after a failure that leaves open whether it was applied', async () => {
  const { cluster, a, b } = await askingCluster();
  await cluster.run(b.runtime.submit('doc', op('p', 1)));
  const mayAppend = Promise.withResolvers<void>();
  b.faults.next('store.append', { waits: mayAppend.promise });
  const receipt = a.runtime.submit('doc', op('p', 2));
  await cluster.settle();
  await b.kill();
  expect(await cluster.run(receipt)).toMatchObject({ seq: 2, duplicate: true, nodeId: 'a' });
});

test('an op whose frame or reply is lost is sent again long before its deadline', async () => {
  const { cluster, a, b } = await askingCluster();
  await cluster.run(b.runtime.submit('doc', op('p', 1)));
  for (const lost of ['request', 'reply'] as const) {
    const end = (lost === 'request' ? b : a).bus.filter(({ kind }) => {
      if (kind !== lost) return undefined;
      end();
      return 'drop';
    });
    const startedMs = cluster.clock.monotonicMs();
    const counter = lost === 'request' ? 2 : 3;
    expect((await cluster.run(a.runtime.submit('doc', op('p', counter)))).seq).toBe(counter);
    expect(cluster.clock.monotonicMs() - startedMs).toBeLessThan(4_000);
  }
});

test('a node that stops fails what it still waits for as what may have been done', async () => {
  const { cluster, a, b, ask } = await askingCluster();
  b.runtime.handle('wait', () => new Promise(() => {}));
  const failing = cluster.failure(ask(toNode('b'), 'wait'));
  await cluster.settle();
  await cluster.run(a.runtime.stop());
  expect(await failing).toMatchObject({ code: 'CLOSED', certainty: 'indefinite' });
  expect(await cluster.failure(ask(toNode('b'), 'ping'))).toMatchObject({
    code: 'CLOSED',
    certainty: 'definite',
  });
});

test('frames for the same inbox in the same tick travel in one publish', async () => {
  const { cluster, a, ask } = await askingCluster();
  a.faults.calls.length = 0;
  await cluster.run(Promise.all(Array.from({ length: 64 }, () => ask(toNode('b'), 'ping'))));
  expect(a.faults.count('bus.publish')).toBe(1);
});

test.each([
  toNode('b'),
  toAll,
])('the time to find out whom to ask is part of its deadline: %j', async (target) => {
  const { cluster, a, b } = await askingCluster();
  b.runtime.handle('wait', () => new Promise(() => {}));
  a.runtime.handle('wait', () => new Promise(() => {}));
  a.faults.next('sessions.list', { waits: sleep(cluster.clock, 1_500) });
  const startedMs = cluster.clock.monotonicMs();
  const asked = a.runtime.request(target, 'wait', nothing, { timeoutMs: 2_000 });
  await cluster.run(asked.catch(() => {}));
  expect(cluster.clock.monotonicMs() - startedMs).toBeLessThanOrEqual(2_020);
});
