import { describe, expect, test } from 'vitest';
import { BackplaneError, type ErrorCode } from '../../src/foundation/errors.ts';
import { limits } from '../../src/foundation/limits.ts';
import { splitLines } from '../../src/operations/act/split-lines.ts';
import { submitOp } from '../../src/operations/act/submit-op.ts';
import { submitOps } from '../../src/operations/act/submit-ops.ts';
import type { OpReceipt, OpSubmission } from '../../src/runtime/reports.ts';
import { collect } from './support/collect.ts';
import { ManualClock } from './support/manual-clock.ts';
import { scriptedVisitor } from './support/scripted-visitor.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const op: OpSubmission = { peer: 'p', counter: 1, payload: bytes('{}') };

function receipt(doc: string, { peer, counter }: OpSubmission, seq = counter): OpReceipt {
  const opId = `${peer}:${counter}`;
  return { doc, opId, seq, epoch: 1, nodeId: 'node-a', hops: 0, duplicate: false };
}

/** A cluster that fails with these codes, one a call, and then accepts. */
function failingWith(...codes: ErrorCode[]) {
  const calls: OpSubmission[] = [];
  const visitor = scriptedVisitor({
    submit: async (doc, submitted) => {
      calls.push(submitted);
      const code = codes[calls.length - 1];
      if (code) throw new BackplaneError(code, `it failed with ${code}`);
      return receipt(doc, submitted);
    },
  });
  return { calls, parts: { visitor, clock: new ManualClock() } };
}

describe('submitting an op', () => {
  test('reports where the op is and who put it there', async () => {
    const { parts } = failingWith();
    expect(await submitOp(parts, 'doc-1', op)).toEqual({
      doc: 'doc-1',
      opId: 'p:1',
      seq: 1,
      epoch: 1,
      nodeId: 'node-a',
      latencyMs: 0,
      hops: 0,
      duplicate: false,
    });
  });

  test('repeats an op that may have been applied with the same opId', async () => {
    const { parts, calls } = failingWith('DEADLINE_EXCEEDED', 'RESPONDER_GONE', 'BACKPLANE_LOST');
    const report = await submitOp(parts, 'doc-1', op);
    expect(report.opId).toBe('p:1');
    expect(calls.map(({ peer, counter }) => `${peer}:${counter}`)).toEqual(Array(4).fill('p:1'));
    expect(report.latencyMs).toBeGreaterThan(0);
  });

  test('does not repeat what the cluster refused', async () => {
    const { parts, calls } = failingWith('PAYLOAD_INVALID');
    await expect(submitOp(parts, 'doc-1', op)).rejects.toMatchObject({
      code: 'PAYLOAD_INVALID',
      certainty: 'definite',
    });
    expect(calls).toHaveLength(1);
  });

  test('says at once that there is no node', async () => {
    const { parts, calls } = failingWith('NO_NODES');
    await expect(submitOp(parts, 'doc-1', op)).rejects.toMatchObject({ code: 'NO_NODES' });
    expect(calls).toHaveLength(1);
  });

  test('gives up within two seconds when nobody answers', async () => {
    const { parts } = failingWith(...Array<ErrorCode>(50).fill('NO_RESPONDER'));
    await expect(submitOp(parts, 'doc-1', op)).rejects.toMatchObject({ code: 'NO_RESPONDER' });
    expect(parts.clock.monotonicMs()).toBeLessThan(2_500);
  });

  test('never calls an op definitely refused when an earlier attempt may have been applied', async () => {
    const { parts } = failingWith('RESPONDER_GONE', 'PAYLOAD_INVALID');
    await expect(submitOp(parts, 'doc-1', op)).rejects.toMatchObject({
      code: 'PAYLOAD_INVALID',
      certainty: 'indefinite',
      facts: { opId: 'p:1', attempts: 2 },
    });
  });

  test('keeps asking after an uncertain attempt though the cluster is empty for a moment', async () => {
    const { parts } = failingWith('RESPONDER_GONE', 'NO_NODES', 'NO_NODES');
    expect((await submitOp(parts, 'doc-1', op)).seq).toBe(1);
  });

  test('ends at its deadline with the last failure, as uncertain', async () => {
    const { parts } = failingWith(...Array<ErrorCode>(500).fill('RESPONDER_GONE'));
    const submitted = submitOp(parts, 'doc-1', op, { timeoutMs: 3_000 });
    await expect(submitted).rejects.toMatchObject({
      code: 'RESPONDER_GONE',
      certainty: 'indefinite',
    });
    expect(parts.clock.monotonicMs()).toBe(3_000);
  });
});

async function* from(...lines: string[]): AsyncGenerator<Uint8Array> {
  for (const line of lines) yield bytes(line);
}

/** An owner that takes a peer's ops only without a gap, each after a random number of turns. */
function owner() {
  let applied = 0;
  let turns = 0;
  const payloads: string[] = [];
  return {
    payloads,
    gaps: 0,
    async submit(this: { gaps: number }, doc: string, submitted: OpSubmission) {
      turns = (turns * 7 + 3) % 5;
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      if (submitted.counter > applied + 1) {
        this.gaps++;
        throw new BackplaneError('OP_GAP', 'an earlier op is missing');
      }
      const text = new TextDecoder().decode(submitted.payload);
      if (text === 'bad') throw new BackplaneError('PAYLOAD_INVALID', 'not JSON');
      applied++;
      payloads.push(text);
      return receipt(doc, submitted);
    },
  };
}

function partsOf(submit: ReturnType<typeof owner>['submit']) {
  return { visitor: scriptedVisitor({ submit }), clock: new ManualClock() };
}

describe('submitting a stream of ops', () => {
  test('keeps the order although sendings overtake each other', async () => {
    const cluster = owner();
    const parts = partsOf(cluster.submit.bind(cluster));
    const lines = Array.from({ length: 300 }, (_, index) => String(index));
    const stream = { doc: 'd', peer: 'p', payloads: from(...lines) };
    const seqs = (await collect(submitOps(parts, stream))).map(({ seq }) => seq);
    expect(seqs).toEqual(lines.map((_, index) => index + 1));
    expect(cluster.payloads).toEqual(lines);
    expect(cluster.gaps).toBeGreaterThan(0);
  });

  test('stops at the first op refused and counts what was acknowledged before', async () => {
    const cluster = owner();
    const parts = partsOf(cluster.submit.bind(cluster));
    const stream = { doc: 'd', peer: 'p', payloads: from('1', '2', '3', 'bad', '5', '6') };
    const seen: number[] = [];
    const run = async () => {
      for await (const { seq } of submitOps(parts, stream)) seen.push(seq);
    };
    await expect(run()).rejects.toMatchObject({
      code: 'PAYLOAD_INVALID',
      certainty: 'definite',
      facts: { acknowledged: 3, acknowledgedAfter: 0 },
    });
    expect(seen).toEqual([1, 2, 3]);
    expect(cluster.payloads).toEqual(['1', '2', '3']);
  });

  test('acknowledges what came before a line that cannot be read', async () => {
    const cluster = owner();
    const parts = partsOf(cluster.submit.bind(cluster));
    async function* broken() {
      yield* from('1', '2');
      throw new BackplaneError('PAYLOAD_TOO_LARGE', 'line 3 is too large');
    }
    const run = collect(submitOps(parts, { doc: 'd', peer: 'p', payloads: broken() }));
    await expect(run).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      facts: { acknowledged: 2 },
    });
    expect(cluster.payloads).toEqual(['1', '2']);
  });

  test('acknowledges each line as it comes, without waiting for the next', async () => {
    const cluster = owner();
    const parts = partsOf(cluster.submit.bind(cluster));
    async function* typing() {
      yield* from('1');
      await new Promise(() => {});
    }
    const reports = submitOps(parts, { doc: 'd', peer: 'p', payloads: typing() });
    expect((await reports.next()).value?.seq).toBe(1);
  });
});

describe('splitting lines', () => {
  const lines = async (...chunks: string[]) =>
    (await collect(splitLines(from(...chunks)))).map((line) => Buffer.from(line).toString());

  test('finds lines across chunks, with either ending, and leaves blank ones out', async () => {
    expect(await lines('a', 'b\nc\r', '\n\n', 'd')).toEqual(['ab', 'c', 'd']);
  });

  test('takes a line of exactly the limit and refuses one byte more before holding it all', async () => {
    const full = 'x'.repeat(limits.payloadBytesMax);
    expect(await lines(full, '\r\n')).toEqual([full]);
    let pulled = 0;
    async function* endless() {
      for (;;) {
        pulled++;
        yield bytes('x'.repeat(65_536));
      }
    }
    const failed = collect(splitLines(endless()));
    await expect(failed).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE', facts: { line: 1 } });
    expect(pulled).toBeLessThan(20);
  });
});
