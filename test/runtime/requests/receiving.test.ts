import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../../src/foundation/errors.ts';
import { limits } from '../../../src/foundation/limits.ts';
import { askingCluster, nothing, toDoc, toNode } from '../../support/asking-cluster.ts';
import { bytes, op } from '../../support/some-ops.ts';

describe('a receiver', () => {
  test('runs a frame that comes twice once', async () => {
    const { cluster, b, ask } = await askingCluster();
    let ran = 0;
    b.runtime.handle('count', () => bytes(`${++ran}`));
    b.bus.filter(() => 'twice');
    await cluster.run(ask(toNode('b'), 'count'));
    await cluster.settle();
    expect(ran).toBe(1);
    expect(b.counter('requests_repeated_total')).toBe(1);
  });

  test('drops a request whose caller had given up when it arrived', async () => {
    const { cluster, b, ask } = await askingCluster();
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
    // Once, and twice more when no answer came.
    expect(b.counter('requests_late_total')).toBe(3);
  });

  test('still runs a request that was delayed, but is in time', async () => {
    const { cluster, b, ask } = await askingCluster();
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
    const { cluster, b, ask } = await askingCluster();
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
    const { cluster, b, ask } = await askingCluster();
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
  }, 60_000);

  test.each([
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'valueOf',
    '',
    'no.such',
  ])('knows no method %j that nobody registered', async (method) => {
    const { cluster, ask } = await askingCluster();
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
    const { cluster, ask } = await askingCluster();
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
    const { cluster, b } = await askingCluster();
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
    const { a } = await askingCluster();
    expect(() => a.runtime.handle(name, () => nothing)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});

describe('a handler that throws', () => {
  test('fails the request as HANDLER_FAILED, which may have done something', async () => {
    const { cluster, b, ask } = await askingCluster();
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
    const { cluster, b, ask } = await askingCluster();
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
