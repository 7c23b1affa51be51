import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../../src/foundation/errors.ts';
import { limits } from '../../../src/foundation/limits.ts';
import type { RequestTarget } from '../../../src/runtime/reports.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { bytes, op, text } from '../../support/some-ops.ts';

const nothing = new Uint8Array();
const toNode = (nodeId: string): RequestTarget => ({ kind: 'node', nodeId });
const toDoc = (doc: string): RequestTarget => ({ kind: 'doc', doc });
const toAll: RequestTarget = { kind: 'all' };

async function caller(options = {}) {
  const cluster = await MemoryCluster.start(['a', 'b', 'c'], options);
  const [a, b, c] = [cluster.node('a'), cluster.node('b'), cluster.node('c')];
  const ask = (target: RequestTarget, method: string, timeoutMs = 15_000) => {
    return a.runtime.request(target, method, nothing, { timeoutMs });
  };
  return { cluster, a, b, c, ask };
}

describe('a request', () => {
  test('is answered by the node it was sent to, with what the handler returned', async () => {
    const { cluster, a, b } = await caller();
    b.runtime.handle('echo', ({ payload }) => payload);
    const sent = a.runtime.request(toNode('b'), 'echo', bytes('hello'));
    const { replies, silent } = await cluster.run(sent);
    expect(replies.map(({ nodeId, payload }) => [nodeId, text(payload ?? nothing)])).toEqual([
      ['b', 'hello'],
    ]);
    expect(silent).toEqual([]);
  });

  test('to nobody fails at once and definitely, not at its deadline', async () => {
    const { cluster, b, ask } = await caller({ fastTakeover: false });
    await b.kill();
    const failure = await cluster.failure(ask(toNode('b'), 'ping'));
    expect(failure).toMatchObject({ code: 'NO_RESPONDER', certainty: 'definite', tookMs: 0 });
  });

  test('to a node that dies meanwhile fails when its death is noticed, and may have been run', async () => {
    const { cluster, b, ask } = await caller();
    b.runtime.handle('wait', () => new Promise(() => {}));
    const failing = cluster.failure(ask(toNode('b'), 'wait'));
    await cluster.settle();
    await b.kill();
    const failure = await failing;
    expect(failure).toMatchObject({ code: 'RESPONDER_GONE', certainty: 'indefinite' });
    expect(failure.tookMs).toBeLessThan(500);
  });

  test('to an unknown or a dead node says which of the two', async () => {
    const { cluster, c, ask } = await caller();
    expect((await cluster.failure(ask(toNode('nobody'), 'ping'))).code).toBe('NODE_UNKNOWN');
    await cluster.run(c.runtime.stop());
    expect((await cluster.failure(ask(toNode('c'), 'ping'))).code).toBe('NODE_DEAD');
  });

  test('without an answer fails at its deadline, not later, and says who was asked', async () => {
    const { cluster, b, ask } = await caller();
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
    const { cluster, b, ask } = await caller();
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
    const { cluster, a, ask } = await caller();
    a.faults.always(hanging, { hangs: true });
    const failure = await cluster.failure(ask(toDoc('doc'), 'ping', 300));
    expect(failure).toMatchObject({ code: 'DEADLINE_EXCEEDED', tookMs: 300 });
  });

  test('that runs here ends by its deadline also when the handler hangs for ever', async () => {
    const { cluster, a, ask } = await caller();
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
    const { cluster, a, b } = await caller();
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
    const { cluster, a, b, ask } = await caller();
    b.runtime.handle('wait', () => new Promise(() => {}));
    await cluster.failure(ask(toNode('b'), 'wait', 100));
    await cluster.run(ask(toNode('b'), 'ping'));
    a.clock.jumpWall(60_000);
    const uncertain = await cluster.failure(ask(toNode('b'), 'ping', 100));
    expect(uncertain.code).toBe('LEASE_UNCERTAIN');
    expect(a.runtime.metrics().gauges.requests_pending).toBe(0);
  });

  test('whose payload is too large is refused before it is sent', async () => {
    const { cluster, a } = await caller();
    const large = new Uint8Array(limits.payloadBytesMax + 1);
    const failure = await cluster.failure(a.runtime.request(toNode('b'), 'ping', large));
    expect(failure).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', certainty: 'definite' });
  });

  test('whose answer is too large fails, but was run', async () => {
    const { cluster, b, ask } = await caller();
    b.runtime.handle('large', () => new Uint8Array(limits.frameBytesMax));
    const failure = await cluster.failure(ask(toNode('b'), 'large'));
    expect(failure).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', certainty: 'indefinite' });
  });
});

describe('a receiver', () => {
  test('runs a frame that comes twice once', async () => {
    const { cluster, b, ask } = await caller();
    let ran = 0;
    b.runtime.handle('count', () => bytes(`${++ran}`));
    b.bus.filter(() => 'twice');
    await cluster.run(ask(toNode('b'), 'count'));
    await cluster.settle();
    expect(ran).toBe(1);
    expect(b.counter('requests_repeated_total')).toBe(1);
  });

  test('drops a request whose caller had given up when it arrived', async () => {
    const { cluster, b, ask } = await caller();
    let ran = 0;
    b.runtime.handle('count', () => bytes(`${++ran}`));
    await cluster.run(ask(toNode('b'), 'count'));
    b.pause();
    const failing = cluster.failure(ask(toNode('b'), 'count', 3_000));
    await failing;
    await cluster.advance(2_000);
    b.resume();
    await cluster.advance(1_000);
    expect(ran).toBe(1);
    expect(b.counter('requests_late_total')).toBe(1);
  });

  test('still runs a request that was delayed, but is in time', async () => {
    const { cluster, b, ask } = await caller();
    let ran = 0;
    b.runtime.handle('count', () => bytes(`${++ran}`));
    await cluster.run(ask(toNode('b'), 'count'));
    b.pause();
    const answered = ask(toNode('b'), 'count', 10_000);
    await cluster.advance(5_000);
    b.resume();
    await cluster.run(answered);
    expect(ran).toBe(2);
  });

  test('tells a handler when the deadline has passed', async () => {
    const { cluster, b, ask } = await caller();
    let aborted = false;
    b.runtime.handle('wait', ({ signal }) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return new Promise(() => {});
    });
    const failing = cluster.failure(ask(toNode('b'), 'wait', 500));
    await cluster.advance(400);
    expect(aborted).toBe(false);
    await failing;
    await cluster.settle();
    expect(aborted).toBe(true);
  });

  test('refuses more than it can run at once as OVERLOADED, and recovers at their deadlines', async () => {
    const { cluster, b, ask } = await caller();
    b.runtime.handle('wait', () => new Promise(() => {}));
    const hanging = Promise.allSettled(
      Array.from({ length: limits.requestsRunningMax }, () => ask(toNode('b'), 'wait', 1_000)),
    );
    await cluster.settle();
    const failure = await cluster.failure(ask(toNode('b'), 'ping'));
    expect(failure).toMatchObject({ code: 'OVERLOADED', certainty: 'definite' });
    await cluster.advance(1_000);
    await hanging;
    const { replies } = await cluster.run(ask(toNode('b'), 'ping'));
    expect(replies[0]?.ok).toBe(true);
  }, 20_000);

  test.each([
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'valueOf',
    '',
    'no.such',
  ])('knows no method %j that nobody registered', async (method) => {
    const { cluster, ask } = await caller();
    const { replies } = await cluster.run(ask(toNode('b'), method));
    expect(replies[0]).toMatchObject({ ok: false, error: { code: 'METHOD_UNKNOWN' } });
  });

  test.each([
    'constructor',
    '__proto__',
    'lease.acquire',
    'node.drain',
    'doc.read',
  ])('does not run control %j for a request, whatever it is called', async (method) => {
    const { cluster, ask } = await caller();
    const { replies } = await cluster.run(ask(toNode('b'), method));
    expect(replies[0]?.error?.code).toBe('METHOD_UNKNOWN');
  });

  test.each([
    'constructor',
    '__proto__',
    'toString',
    'ping',
    '',
  ])('knows no control %j', async (name) => {
    const { cluster, b } = await caller();
    const visitor = await cluster.visitor(false);
    const failure = await cluster.failure(visitor.control(b.runtime.session() ?? '', name, {}));
    expect(failure.code).toBe('METHOD_UNKNOWN');
  });

  test.each([
    'Constructor',
    '1st',
    'a b',
    '__proto__',
    '',
    'x'.repeat(65),
    'a\n',
  ])('cannot be given a method called %j', async (name) => {
    const { a } = await caller();
    expect(() => a.runtime.handle(name, () => nothing)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});

describe('a handler that throws', () => {
  test('fails the request as HANDLER_FAILED, which may have done something', async () => {
    const { cluster, b, ask } = await caller();
    b.runtime.handle('fail', () => {
      throw new TypeError('no such thing');
    });
    const { replies } = await cluster.run(ask(toNode('b'), 'fail'));
    expect(replies[0]).toMatchObject({
      nodeId: 'b',
      ok: false,
      error: { code: 'HANDLER_FAILED', certainty: 'indefinite' },
    });
    expect(replies[0]?.error?.message).toContain('no such thing');
  });

  test.each([
    'CONFLICT',
    'NOT_OWNER',
    'OVERLOADED',
    'DRAINING',
    'NO_RESPONDER',
  ] as const)('a code of its own (%s) is run once, and that code is the answer', async (code) => {
    const { cluster, b, ask } = await caller();
    await cluster.run(b.runtime.submit('doc', op('p', 1)));
    let ran = 0;
    b.runtime.handle('refuse', () => {
      ran += 1;
      throw new BackplaneError(code, 'the application says so', { facts: { seat: 12 } });
    });
    const { replies } = await cluster.run(ask(toDoc('doc'), 'refuse'));
    expect(replies[0]).toMatchObject({ nodeId: 'b', ok: false, error: { code } });
    expect(replies[0]?.error?.facts).toMatchObject({ seat: 12 });
    await cluster.advance(1_000);
    expect(ran).toBe(1);
  });
});

describe('a request to all', () => {
  test('names every node that answered and every node that did not', async () => {
    const { cluster, b, c, ask } = await caller({ fastTakeover: false });
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
    const { cluster, b, c, ask } = await caller();
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
    const { cluster, c, ask } = await caller();
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
    const { cluster, b, c, ask } = await caller();
    await cluster.run(b.runtime.submit('doc', op('p', 1)));
    for (const { runtime, nodeId } of [b, c]) runtime.handle('who', () => bytes(nodeId));
    const { replies } = await cluster.run(ask(toDoc('doc'), 'who'));
    expect(replies.map(({ nodeId, hops }) => [nodeId, hops])).toEqual([['b', 1]]);
  });

  test('does not bring a document into being', async () => {
    const { cluster, ask } = await caller();
    const failure = await cluster.failure(ask(toDoc('nothing'), 'ping'));
    expect(failure).toMatchObject({ code: 'DOCUMENT_UNKNOWN', certainty: 'definite' });
    expect(await cluster.engine.leases.read('nothing')).toBeNull();
    expect(await cluster.store.head('nothing')).toBeNull();
  });

  test('is never sent again after a failure that leaves open whether it was run', async () => {
    const { cluster, b, ask } = await caller();
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
    const { cluster, b, ask } = await caller();
    await cluster.run(b.runtime.submit('doc', op('p', 1)));
    await cluster.run(ask(toDoc('doc'), 'ping'));
    await b.kill();
    const { replies } = await cluster.run(ask(toDoc('doc'), 'ping'));
    expect(replies[0]).toMatchObject({ nodeId: 'a', ok: true });
  });

  test('follows a document that moved without the caller noticing', async () => {
    const { cluster, b, c, ask } = await caller();
    await cluster.run(b.runtime.submit('doc', op('p', 1)));
    await cluster.run(ask(toDoc('doc'), 'ping'));
    await cluster.run(b.runtime.release('doc', c.runtime.session()));
    const { replies } = await cluster.run(ask(toDoc('doc'), 'ping'));
    expect(replies[0]).toMatchObject({ nodeId: 'c', ok: true });
  });
});

test('an op is sent again after a failure that leaves open whether it was applied', async () => {
  const { cluster, a, b } = await caller();
  await cluster.run(b.runtime.submit('doc', op('p', 1)));
  const mayAppend = Promise.withResolvers<void>();
  b.faults.next('store.append', { waits: mayAppend.promise });
  const receipt = a.runtime.submit('doc', op('p', 2));
  await cluster.settle();
  await b.kill();
  expect(await cluster.run(receipt)).toMatchObject({ seq: 2, duplicate: true, nodeId: 'a' });
});

test('an op whose frame or reply is lost is sent again long before its deadline', async () => {
  const { cluster, a, b } = await caller();
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
  const { cluster, a, b, ask } = await caller();
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
  const { cluster, a, ask } = await caller();
  a.faults.calls.length = 0;
  await cluster.run(Promise.all(Array.from({ length: 64 }, () => ask(toNode('b'), 'ping'))));
  expect(a.faults.count('bus.publish')).toBe(1);
});
