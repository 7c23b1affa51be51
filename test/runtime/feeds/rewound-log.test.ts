import { describe, expect, test } from 'vitest';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { RecordingFollower } from '../../support/recording-follower.ts';
import { bytes, op, submitMany } from '../../support/some-ops.ts';

/** Ten ops by node `a`, followed on node `b`; then the store comes back as it was at op `to`. */
async function rewindTo(to: number, documentEngine: 'json' | 'log' = 'log') {
  const cluster = await MemoryCluster.start(['a', 'b', 'c'], { documentEngine });
  const [owner, other] = [cluster.node('a'), cluster.node('b')];
  const follower = new RecordingFollower();
  await cluster.run(other.runtime.follow('doc', 0, follower));
  await cluster.run(submitMany(owner.runtime, 'doc', 'p', { from: 1, to: 10 }));
  await cluster.settle();
  cluster.logs.rewind('doc', to);
  return { cluster, owner, other, follower };
}

const codes = (follower: RecordingFollower) =>
  follower.errors.map((error) => (error as { code?: string }).code);

describe('a log that lost acknowledged ops', () => {
  test('is noticed by its owner at the next op: the document is quarantined, and it says so', async () => {
    const { cluster, owner } = await rewindTo(7);
    const failure = await cluster.failure(owner.runtime.submit('doc', op('p', 11)));
    expect(failure).toMatchObject({ code: 'LOG_REWOUND', certainty: 'definite' });
    expect(owner.counter('documents_quarantined_total')).toBe(1);
    const { epoch } = (await cluster.store.head('doc')) ?? {};
    const again = await cluster.failure(owner.runtime.submit('doc', op('p', 11)));
    expect(again).toMatchObject({ code: 'LOG_REWOUND', tookMs: 0 });
    expect(await cluster.store.head('doc')).toMatchObject({ seq: 7, epoch });
  });

  test('is noticed by a node that owned it before, when it takes it again', async () => {
    const { cluster, owner, other } = await rewindTo(10);
    await cluster.run(owner.runtime.release('doc'));
    cluster.logs.rewind('doc', 8);
    const failure = await cluster.failure(owner.runtime.acquire('doc'));
    expect(failure.code).toBe('LOG_REWOUND');
    expect(failure.error.facts).toMatchObject({ found: 8, known: 10 });
    // Whoever asks it now hears the same, instead of an op that overwrites a lost one.
    const through = await cluster.failure(other.runtime.submit('doc', op('q', 1)));
    expect(through.code).toBe('LOG_REWOUND');
    expect((await cluster.store.head('doc'))?.seq).toBe(8);
  });

  test('is noticed by a follower in silence', async () => {
    const { cluster, follower } = await rewindTo(7);
    await cluster.advance(7_000);
    expect(codes(follower)).toEqual(['LOG_REWOUND']);
  });

  test('altogether is noticed as well', async () => {
    const { cluster, follower } = await rewindTo(0);
    await cluster.advance(7_000);
    expect(codes(follower)).toEqual(['LOG_REWOUND']);
  });

  test('and got others in their place is noticed by a follower at the first of them', async () => {
    const { cluster, owner, follower } = await rewindTo(9);
    await owner.kill();
    await cluster.run(cluster.node('c').runtime.submit('doc', op('q', 1)));
    await cluster.settle();
    expect(codes(follower)).toEqual(['LOG_REWOUND']);
    expect(follower.seqs.filter((seq) => seq === 10)).toHaveLength(1);
  });

  test('and went on past what the follower knew is noticed though the first of them was not heard', async () => {
    const { cluster, owner, other, follower } = await rewindTo(9);
    await owner.kill();
    const { runtime } = cluster.node('c');
    const endLoss = other.bus.filter((frame) => (frame.kind === 'ops' ? 'drop' : undefined));
    await cluster.run(runtime.submit('doc', op('q', 1)));
    endLoss();
    await cluster.run(runtime.submit('doc', op('q', 2)));
    await cluster.settle();
    expect(codes(follower)).toEqual(['LOG_REWOUND']);
    expect(follower.seqs).not.toContain(11);
  });

  test('is noticed when the gap behind it is read', async () => {
    const { cluster, owner, other, follower } = await rewindTo(9);
    await owner.kill();
    const { runtime } = cluster.node('c');
    const endLoss = other.bus.filter((frame) => (frame.kind === 'ops' ? 'drop' : undefined));
    await cluster.run(submitMany(runtime, 'doc', 'q', { from: 1, to: 5 }));
    endLoss();
    await cluster.run(runtime.submit('doc', op('q', 6)));
    await cluster.settle();
    expect(codes(follower)).toEqual(['LOG_REWOUND']);
    expect(Math.max(...follower.seqs)).toBe(10);
  });
});

describe('after a follower was told', () => {
  test('one who follows anew gets the log as it is now, and live', async () => {
    const { cluster, owner, other, follower } = await rewindTo(7);
    await cluster.advance(7_000);
    expect(codes(follower)).toEqual(['LOG_REWOUND']);
    const fresh = new RecordingFollower();
    await cluster.run(other.runtime.follow('doc', 0, fresh));
    expect(fresh.seqs).toHaveLength(7);
    await owner.kill();
    await cluster.run(cluster.node('c').runtime.submit('doc', op('q', 1)));
    await cluster.settle();
    expect(fresh.seqs).toHaveLength(8);
    expect(fresh.errors).toEqual([]);
  });

  test('one who follows from beyond the new end is refused', async () => {
    const { cluster, other } = await rewindTo(7);
    await cluster.advance(7_000);
    const failure = await cluster.failure(other.runtime.follow('doc', 10, new RecordingFollower()));
    expect(failure.code).toBe('LOG_REWOUND');
  });
});

test('a log with a hole is an error with the document in it, never a document with a hole', async () => {
  const cluster = await MemoryCluster.start(['a', 'b']);
  const { runtime, faults } = cluster.node('b');
  await cluster.run(submitMany(cluster.node('a').runtime, 'doc', 'p', { from: 1, to: 5 }));
  await cluster.run(cluster.node('a').runtime.release('doc'));
  const whole = await cluster.store.read('doc', 0, 10);
  faults.always('store.read', { answers: whole.filter(({ seq }) => seq !== 3) });
  expect((await cluster.failure(runtime.acquire('doc'))).code).toBe('LOG_REWOUND');
});

test('an op that was changed in the log is noticed when the document is loaded', async () => {
  const cluster = await MemoryCluster.start(['a', 'b']);
  const { runtime, faults } = cluster.node('b');
  await cluster.run(submitMany(cluster.node('a').runtime, 'doc', 'p', { from: 1, to: 5 }));
  await cluster.run(cluster.node('a').runtime.release('doc'));
  const log = await cluster.store.read('doc', 0, 10);
  const changed = log.map((one) => (one.seq === 3 ? { ...one, payload: bytes('{}') } : one));
  faults.always('store.read', { answers: changed });
  expect((await cluster.failure(runtime.acquire('doc'))).code).toBe('LOG_REWOUND');
});

test('a hole in the log does not make a follower read it over and over', async () => {
  const cluster = await MemoryCluster.start(['a', 'b']);
  const { runtime, faults, bus } = cluster.node('b');
  const follower = new RecordingFollower();
  await cluster.run(runtime.follow('doc', 0, follower));
  const endLoss = bus.filter((frame) => (frame.kind === 'ops' ? 'drop' : undefined));
  await cluster.run(submitMany(cluster.node('a').runtime, 'doc', 'p', { from: 1, to: 5 }));
  endLoss();
  const whole = await cluster.store.read('doc', 0, 10);
  let reads = 0;
  faults.rule(({ method }) => {
    if (method !== 'read') return undefined;
    reads += 1;
    // Enough to show it; a test that spins would never end.
    return { answers: reads > 50 ? [] : whole.filter(({ seq }) => seq > 1) };
  });
  await cluster.run(cluster.node('a').runtime.submit('doc', op('p', 6)));
  await cluster.advance(1_000);
  expect(reads).toBeLessThan(10);
  expect(codes(follower)).toEqual(['LOG_REWOUND']);
});
