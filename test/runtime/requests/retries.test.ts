import { describe, expect, test } from 'vitest';
import { BackplaneError, type Certainty, type ErrorCode } from '../../../src/foundation/errors.ts';
import { inboxChannel } from '../../../src/runtime/channels.ts';
import { clusterTagOf, encodeFrame } from '../../../src/runtime/frames.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { bytes, op } from '../../support/some-ops.ts';

/** The owner, node `b`, answers the first request for its document with this error, unrun. */
async function answeringOnce(code: ErrorCode | string, certainty: Certainty) {
  const cluster = await MemoryCluster.start(['a', 'b']);
  const [caller, owner] = [cluster.node('a'), cluster.node('b')];
  await cluster.run(owner.runtime.submit('doc', op('p', 1)));
  let ran = 0;
  for (const { runtime } of cluster.nodes) runtime.handle('count', () => bytes(`${++ran}`));
  const tag = clusterTagOf(cluster.broker.clusterRecord?.id ?? '');
  const end = owner.bus.filter((frame) => {
    if (frame.kind !== 'request') return undefined;
    end();
    const error = { code, message: 'as the test wants it', certainty, facts: {} };
    const { id, hops, from } = frame;
    const payload = new Uint8Array();
    const reply = { kind: 'reply', id, nodeId: 'b', hops, error, payload } as const;
    void cluster.engine.bus.publish(inboxChannel(from), encodeFrame(tag, reply));
    return 'drop';
  });
  const call = () => {
    return caller.runtime.request({ kind: 'doc', doc: 'doc' }, 'count', new Uint8Array());
  };
  const submit = () => caller.runtime.submit('doc', op('p', 2));
  return { cluster, call, submit, ran: () => ran };
}

const passing: ErrorCode[] = [
  ...(['NOT_OWNER', 'LEASE_HELD', 'LEASE_LOST', 'LEASE_UNCERTAIN', 'FENCED'] as const),
  ...(['CONFLICT', 'DRAINING', 'SESSION_LOST', 'OVERLOADED', 'NO_RESPONDER'] as const),
  ...(['BACKPLANE_UNREACHABLE', 'STORE_LOCKED'] as const),
];
const doubtful: ErrorCode[] = ['BACKPLANE_LOST', 'STORE_UNAVAILABLE', 'INTERNAL', 'SESSION_LOST'];
const final: ErrorCode[] = [
  ...(['PAYLOAD_INVALID', 'PAYLOAD_TOO_LARGE', 'LOG_REWOUND', 'STORE_CORRUPT'] as const),
  ...(['STORE_FULL', 'DOCUMENT_UNKNOWN', 'METHOD_UNKNOWN', 'UNAUTHORIZED', 'OP_GAP'] as const),
];

describe('after an answer that says the request was not run, because the cluster is changing', () => {
  test.each(passing)('(%s) an op and a call are sent again, and end well', async (code) => {
    const op = await answeringOnce(code, 'definite');
    expect((await op.cluster.run(op.submit())).seq).toBe(2);
    const call = await answeringOnce(code, 'definite');
    expect((await call.cluster.run(call.call())).replies[0]?.ok).toBe(true);
    expect(call.ran()).toBe(1);
  });
});

describe('after an answer that leaves open whether the request was run', () => {
  test.each(doubtful)('(%s) an op is sent again and a call is not', async (code) => {
    const op = await answeringOnce(code, 'indefinite');
    expect((await op.cluster.run(op.submit())).seq).toBe(2);
    const call = await answeringOnce(code, 'indefinite');
    const failure = await call.cluster.failure(call.call());
    expect(failure).toMatchObject({ code, certainty: 'indefinite' });
    await call.cluster.advance(20_000);
    expect(call.ran()).toBe(0);
  });
});

describe('after an answer that will not change', () => {
  test.each(final)('(%s) an op and a call fail at once, and definitely', async (code) => {
    const op = await answeringOnce(code, 'definite');
    const failure = await op.cluster.failure(op.submit());
    expect(failure).toMatchObject({ code, certainty: 'definite' });
    expect(failure.tookMs).toBe(0);
    expect((await op.cluster.store.head('doc'))?.seq).toBe(1);
  });

  test('a code of a newer version is kept as text, and may have happened', async () => {
    const call = await answeringOnce('QUANTUM_FLUX', 'definite');
    const { replies } = await call.cluster.run(call.call());
    expect(replies[0]).toMatchObject({
      ok: false,
      error: { code: 'HANDLER_FAILED', certainty: 'indefinite' },
    });
    expect(replies[0]?.error?.message).toContain('QUANTUM_FLUX');
  });
});

test('a failure after an attempt in doubt is in doubt, though it says of itself that it is not', async () => {
  const { cluster, submit } = await answeringOnce('STORE_UNAVAILABLE', 'indefinite');
  const { faults } = cluster.node('b');
  faults.next('store.append', { fails: new BackplaneError('STORE_FULL', 'the disk is full') });
  expect(await cluster.failure(submit())).toMatchObject({
    code: 'STORE_FULL',
    certainty: 'indefinite',
  });
});
