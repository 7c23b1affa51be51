import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits, protocol } from '../../../src/foundation/limits.ts';
import {
  clusterTagOf,
  decodeFrames,
  encodeFrame,
  type Frame,
  type FrameFault,
} from '../../../src/runtime/frames.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { RecordingFollower } from '../../support/recording-follower.ts';
import { bytes, op } from '../../support/some-ops.ts';

const tag = clusterTagOf('ours');

const probe: Frame = { kind: 'probe', nonce: 7, payload: new Uint8Array() };

const request: Frame = {
  kind: 'request',
  id: '1',
  from: 'caller',
  plane: 'call',
  method: 'ping',
  doc: null,
  direct: true,
  hops: 0,
  remainingMs: 1_000,
  sentAt: 5,
  sentMs: 5,
  payload: bytes('hello'),
};

function read(published: Uint8Array) {
  const faults: FrameFault[] = [];
  const frames = [...decodeFrames(tag, published, (fault) => faults.push(fault))];
  return { frames, faults };
}

/** A frame's bytes with something done to its header. */
function withHeader(
  frame: Frame,
  change: (header: Record<string, unknown>) => unknown,
): Uint8Array {
  const { kind: _, payload, ...fields } = frame;
  const header = Buffer.from(JSON.stringify(change({ ...fields })));
  const whole = Buffer.from(encodeFrame(tag, frame));
  const start = Buffer.from(whole.subarray(0, 14));
  start.writeUInt32BE(14 + header.length + payload.length - 4, 0);
  start.writeUInt32BE(header.length, 10);
  return Buffer.concat([start, header, payload]);
}

const word = fc.string({ maxLength: 40 });
const count = fc.nat();
const payload = fc.uint8Array({ maxLength: 64 });
const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({
    kind: fc.constant('request' as const),
    id: word,
    from: word,
    plane: fc.constantFrom('op' as const, 'call' as const, 'control' as const),
    method: word,
    doc: fc.option(word),
    direct: fc.boolean(),
    hops: fc.nat(9),
    remainingMs: count,
    sentAt: count,
    sentMs: count,
    payload,
  }),
  fc.record({
    kind: fc.constant('reply' as const),
    id: word,
    nodeId: word,
    hops: fc.nat(9),
    error: fc.constant(null),
    payload,
  }),
  fc.record({
    kind: fc.constant('owner' as const),
    doc: word,
    nodeId: word,
    session: word,
    epoch: count,
    change: fc.constantFrom('owned' as const, 'released' as const),
    payload,
  }),
  fc.record({ kind: fc.constant('probe' as const), nonce: count, payload }),
);

test('what was encoded is decoded, however many frames are joined', () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 8 }), (frames) => {
      const joined = Buffer.concat(frames.map((frame) => encodeFrame(tag, frame)));
      const { frames: decoded, faults } = read(joined);
      const plain = (list: Frame[]) => {
        return list.map((frame) => ({ ...frame, payload: [...frame.payload] }));
      };
      expect(faults).toEqual([]);
      expect(plain(decoded)).toEqual(plain(frames));
    }),
  );
});

describe('decoding never throws and never goes on for ever', () => {
  test('on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (published) => {
        const { frames, faults } = read(published);
        expect(frames.length + faults.length).toBeLessThanOrEqual(published.length);
      }),
      { numRuns: 2_000 },
    );
  });

  test('on frames of which any bytes were changed', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(anyFrame, fc.array(change, { minLength: 1, maxLength: 5 }), (frame, changes) => {
        const published = Buffer.from(encodeFrame(tag, frame));
        for (const [at, value] of changes) published[at % published.length] = value;
        read(published);
      }),
      { numRuns: 2_000 },
    );
  });

  test('on frames whose header is any JSON', () => {
    fc.assert(
      fc.property(anyFrame, fc.jsonValue(), (frame, header) => {
        for (const one of read(withHeader(frame, () => header)).frames) {
          expect(typeof one.kind).toBe('string');
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('on frames of which any field is any JSON', () => {
    fc.assert(
      fc.property(anyFrame, fc.nat(), fc.jsonValue(), (frame, at, value) => {
        const change = (header: Record<string, unknown>) => {
          const keys = Object.keys(header);
          const key = keys[at % keys.length];
          return key === undefined ? header : { ...header, [key]: value };
        };
        read(withHeader(frame, change));
      }),
      { numRuns: 2_000 },
    );
  });

  test('on frames cut off anywhere', () => {
    const published = encodeFrame(tag, request);
    for (let length = 1; length < published.length; length++) {
      expect(read(published.subarray(0, length))).toEqual({ frames: [], faults: ['malformed'] });
    }
  });
});

describe('a frame that is refused', () => {
  const after = encodeFrame(tag, probe);
  const otherVersion = Buffer.from(encodeFrame(tag, request));
  otherVersion.writeUInt8(protocol.version + 1, 4);
  const unknownKind = Buffer.from(encodeFrame(tag, request));
  unknownKind.writeUInt8(99, 9);
  const deepJson = JSON.parse(`${'['.repeat(70)}${']'.repeat(70)}`);
  const largest = { ...request, payload: new Uint8Array(limits.frameBytesMax) };

  test.each([
    ['of another cluster', encodeFrame(clusterTagOf('theirs'), request), 'foreign'],
    ['of another protocol version', otherVersion, 'version'],
    ['of an unknown kind', unknownKind, 'malformed'],
    ['without a field it needs', withHeader(request, ({ id: _, ...rest }) => rest), 'malformed'],
    [
      'with a plane there is none of',
      withHeader(request, (h) => ({ ...h, plane: 'x' })),
      'malformed',
    ],
    ['with negative hops', withHeader(request, (h) => ({ ...h, hops: -1 })), 'malformed'],
    [
      'with a deadline that is no number',
      withHeader(request, (h) => ({ ...h, remainingMs: null })),
      'malformed',
    ],
    [
      'with a forbidden key',
      withHeader(request, (h) => ({ ...h, x: JSON.parse('{"__proto__":1}') })),
      'malformed',
    ],
    ['nested too deeply', withHeader(request, (h) => ({ ...h, x: deepJson })), 'malformed'],
    [
      'with a method too long',
      withHeader(request, (h) => ({ ...h, method: 'm'.repeat(3_000) })),
      'malformed',
    ],
    ['above the limit', encodeFrame(tag, largest), 'malformed'],
  ])('%s is counted, and does not stop the one behind it', (_what, refused, fault) => {
    const { frames, faults } = read(Buffer.concat([refused, after]));
    expect(faults).toEqual([fault]);
    expect(frames.map(({ kind }) => kind)).toEqual(['probe']);
  });

  test('whose header is said to be longer than the frame is malformed', () => {
    const published = Buffer.from(encodeFrame(tag, probe));
    published.writeUInt32BE(published.readUInt32BE(10) + 5, 10);
    expect(read(published)).toEqual({ frames: [], faults: ['malformed'] });
  });

  test('whose payload is shorter than its ops say is malformed', () => {
    const header = { seq: 1, epoch: 1, peer: 'p', counter: 1, at: 1, chain: 'c' };
    const ops = [
      { ...header, length: 5 },
      { ...header, seq: 2, length: 5 },
    ];
    const frame: Frame = { kind: 'ops', doc: 'd', nodeId: 'n', ops, payload: bytes('12345') };
    expect(read(encodeFrame(tag, frame))).toEqual({ frames: [], faults: ['malformed'] });
  });
});

describe('a node', () => {
  test('counts what it cannot read in its inbox and on the channels it follows, and goes on', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const { runtime, counter } = cluster.node('a');
    const follower = new RecordingFollower();
    await cluster.run(runtime.follow('doc', 0, follower));
    const ours = clusterTagOf(cluster.broker.clusterRecord?.id ?? '');
    const otherVersion = Buffer.from(encodeFrame(ours, request));
    otherVersion.writeUInt8(protocol.version + 1, 4);
    for (const channel of [`inbox:${runtime.session()}`, 'doc:doc']) {
      await cluster.engine.bus.publish(channel, encodeFrame(clusterTagOf('theirs'), request));
      await cluster.engine.bus.publish(channel, otherVersion);
      await cluster.engine.bus.publish(channel, bytes('who is there?'));
    }
    await cluster.settle();
    expect(counter('frames_foreign_total')).toBe(2);
    expect(counter('frames_version_total')).toBe(2);
    expect(counter('frames_malformed_total')).toBe(2);
    await cluster.run(cluster.node('b').runtime.submit('doc', op('p', 1)));
    await cluster.settle();
    expect(follower.seqs).toEqual([1]);
  });

  test('is not taken in by frames of another document on the channel it follows', async () => {
    const cluster = await MemoryCluster.start(['a']);
    const { runtime } = cluster.node('a');
    const follower = new RecordingFollower();
    await cluster.run(runtime.follow('doc', 0, follower));
    const ours = clusterTagOf(cluster.broker.clusterRecord?.id ?? '');
    const ops = [{ seq: 1, epoch: 1, peer: 'p', counter: 1, at: 1, chain: 'c', length: 0 }];
    const frame: Frame = { kind: 'ops', doc: 'other', nodeId: 'x', ops, payload: new Uint8Array() };
    await cluster.engine.bus.publish('doc:doc', encodeFrame(ours, frame));
    await cluster.settle();
    expect(follower.seen).toEqual([]);
  });

  test('delivers no op that the log does not have, though a frame says it follows', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const { runtime } = cluster.node('a');
    const follower = new RecordingFollower();
    await cluster.run(runtime.follow('doc', 0, follower));
    const ours = clusterTagOf(cluster.broker.clusterRecord?.id ?? '');
    const ops = [{ seq: 1, epoch: 9, peer: 'p', counter: 1, at: 1, chain: 'c', length: 0 }];
    const forged: Frame = { kind: 'ops', doc: 'doc', nodeId: 'x', ops, payload: new Uint8Array() };
    await cluster.engine.bus.publish('doc:doc', encodeFrame(ours, forged));
    await cluster.settle();
    expect([follower.seen, follower.errors]).toEqual([[], []]);
    await cluster.run(cluster.node('b').runtime.submit('doc', op('p', 1)));
    await cluster.settle();
    expect(follower.texts).toEqual(['{"p":1}']);
  });
});
