import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/foundation/limits.ts';
import type { AwarenessFrame } from '../../../src/runtime/frames.ts';
import { type ClusterNode, MemoryCluster } from '../../support/memory-cluster.ts';
import { RecordingFollower } from '../../support/recording-follower.ts';
import { bytes } from '../../support/some-ops.ts';

const ttlMs = 30_000;
/** Its time-to-live, and the longest until somebody looks whether it is over. */
const expiryMs = ttlMs + ttlMs / 6;

/** Peers speak through node `a`; node `b` has a follower. */
async function speakerAndListener(options = {}) {
  const cluster = await MemoryCluster.start(['a', 'b'], options);
  const [speaker, listener] = [cluster.node('a'), cluster.node('b')];
  const follower = new RecordingFollower();
  const following = await cluster.run(listener.runtime.follow('doc', 0, follower));
  // A peer of `a` that follows, as peers do: without it, `a` would hear nobody ask.
  await cluster.run(speaker.runtime.follow('doc', 0, new RecordingFollower()));
  const heard: AwarenessFrame[] = [];
  listener.bus.filter((frame) => {
    if (frame.kind === 'awareness' && frame.nodeId === 'a') heard.push(frame);
    return undefined;
  });
  const set = (peer: string, state: string | null) => {
    speaker.runtime.setAwareness('doc', peer, state === null ? null : bytes(state));
  };
  return { cluster, speaker, listener, follower, following, heard, set };
}

async function follow(cluster: MemoryCluster, node: ClusterNode): Promise<RecordingFollower> {
  const follower = new RecordingFollower();
  await cluster.run(node.runtime.follow('doc', 0, follower));
  await cluster.settle();
  return follower;
}

describe('the state of a peer', () => {
  test('reaches the followers on its own node and on the others, and goes when it goes', async () => {
    const { cluster, speaker, follower, set } = await speakerAndListener();
    const near = await follow(cluster, speaker);
    set('p', 'here');
    await cluster.settle();
    expect([near.awarenessOf('p'), follower.awarenessOf('p')]).toEqual(['here', 'here']);
    await cluster.advance(100);
    set('p', null);
    await cluster.settle();
    expect([near.awarenessOf('p'), follower.awarenessOf('p')]).toEqual([null, null]);
    expect(near.changes).toHaveLength(2);
    expect(follower.changes).toHaveLength(2);
  });

  test('comes back when another node heard late of it, and then that it is gone', async () => {
    const { cluster, listener, follower, set } = await speakerAndListener();
    const near = await follow(cluster, cluster.node('a'));
    set('p', 'here');
    await cluster.advance(1_000);
    // What the peer said over its last connection, which the other node reads only now.
    listener.runtime.setAwareness('doc', 'p', bytes('before'));
    await cluster.advance(1_000);
    expect([near.awarenessOf('p'), follower.awarenessOf('p')]).toEqual(['before', 'before']);
    listener.runtime.setAwareness('doc', 'p', null);
    await cluster.advance(1_000);
    expect([near.awarenessOf('p'), follower.awarenessOf('p')]).toEqual(['here', 'here']);
    set('p', null);
    await cluster.advance(1_000);
    expect([near.awarenessOf('p'), follower.awarenessOf('p')]).toEqual([null, null]);
  });

  test('that changes faster than the rate is told at the rate, and the last one always is', async () => {
    const { cluster, follower, heard, set } = await speakerAndListener();
    for (let at = 0; at < 1_000; at++) {
      set('p', `at ${at}`);
      await cluster.advance(1);
    }
    await cluster.advance(60);
    expect(heard.length).toBeLessThanOrEqual(21);
    expect(heard.length).toBeGreaterThanOrEqual(19);
    expect(follower.awarenessOf('p')).toBe('at 999');
  });

  test('that comes and goes faster than the rate is told at the rate as well', async () => {
    const { cluster, follower, heard, set } = await speakerAndListener();
    for (let at = 0; at < 1_000; at++) {
      set('p', at % 2 === 0 ? `at ${at}` : null);
      await cluster.advance(1);
    }
    await cluster.advance(60);
    expect(heard.length).toBeLessThanOrEqual(22);
    expect(follower.awarenessOf('p')).toBe(null);
  });

  test('is told without delay when nothing was told just before', async () => {
    const { cluster, follower, set } = await speakerAndListener();
    set('p', 'one');
    await cluster.settle();
    await cluster.advance(50);
    set('p', 'two');
    await cluster.settle();
    expect(follower.awarenessOf('p')).toBe('two');
  });

  test('that is set again without a change is not sent again', async () => {
    const { cluster, follower, heard, set } = await speakerAndListener();
    for (let at = 0; at < 50; at++) {
      set('p', 'the same');
      await cluster.advance(100);
    }
    expect(heard).toHaveLength(1);
    expect(follower.changes).toHaveLength(1);
  });

  test('that does not change is kept alive, and nobody is told anew', async () => {
    const { cluster, follower, heard, set } = await speakerAndListener();
    set('p', 'here');
    await cluster.advance(5 * 60_000);
    expect(follower.changes).toHaveLength(1);
    expect(heard.length).toBeGreaterThan(10);
    expect(heard.length).toBeLessThan(25);
  });

  test('is told with those of the other peers of the document in one publish', async () => {
    const { cluster, speaker, follower } = await speakerAndListener();
    const before = speaker.faults.count('bus.publish');
    for (let peer = 0; peer < 50; peer++) {
      speaker.runtime.setAwareness('doc', `p${peer}`, bytes('x'));
    }
    await cluster.settle();
    expect(speaker.faults.count('bus.publish') - before).toBe(1);
    expect(follower.changes).toHaveLength(50);
  });

  test('is told whole when all of them are too much for one frame', async () => {
    const { cluster, speaker, follower, set } = await speakerAndListener();
    const large = 'x'.repeat(limits.awarenessBytesMax);
    for (let peer = 0; peer < 40; peer++) set(`p${peer}`, large);
    await cluster.advance(100);
    // And again at once, for one who asks.
    const late = await follow(cluster, await cluster.add('c'));
    await cluster.advance(100);
    for (const one of [follower, late]) {
      expect(new Set(one.changes.map(({ peer }) => peer)).size).toBe(40);
    }
    expect(speaker.counter('awareness_sent_total')).toBeGreaterThanOrEqual(80);
  });

  test('above the limit is refused', async () => {
    const { speaker } = await speakerAndListener();
    const large = new Uint8Array(limits.awarenessBytesMax + 1);
    expect(() => speaker.runtime.setAwareness('doc', 'p', large)).toThrow(
      expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' }),
    );
  });

  test('of more peers than the limit is refused, and is nobody else lost', async () => {
    const { speaker, set } = await speakerAndListener();
    for (let peer = 0; peer < limits.awarenessPeersMax; peer++) set(`p${peer}`, 'x');
    expect(() => speaker.runtime.setAwareness('doc', 'one-more', bytes('x'))).toThrow(
      expect.objectContaining({ code: 'OVERLOADED' }),
    );
    set('p7', 'still there');
  });
});

describe('a peer', () => {
  test('that joins asks who is there, and is told', async () => {
    const { cluster, set } = await speakerAndListener();
    set('p', 'here');
    await cluster.advance(1_000);
    const late = await follow(cluster, await cluster.add('c'));
    expect(late.awarenessOf('p')).toBe('here');
  });

  test('that joins where others follow already is told from what this node knows', async () => {
    const { cluster, listener, set } = await speakerAndListener();
    set('p', 'here');
    await cluster.advance(1_000);
    const before = listener.faults.count('bus.publish');
    const late = await follow(cluster, listener);
    expect(late.awarenessOf('p')).toBe('here');
    expect(listener.faults.count('bus.publish')).toBe(before);
  });

  test('whose node was killed is gone within the node timeout and a sweep', async () => {
    const { cluster, speaker, follower, set } = await speakerAndListener();
    set('p', 'here');
    await cluster.advance(100);
    await speaker.kill();
    await cluster.advance(20_000 + 5_000 + 6_250);
    expect(follower.awarenessOf('p')).toBeNull();
  });

  test('whose node was killed is gone on every node then, not only on the one that cleared it', async () => {
    const { cluster, speaker, set } = await speakerAndListener({
      dials: { awarenessTtlMs: 600_000 },
    });
    const followers = await Promise.all(
      ['c', 'd'].map(async (nodeId) => follow(cluster, await cluster.add(nodeId))),
    );
    set('p', 'here');
    await cluster.advance(100);
    await speaker.kill();
    await cluster.advance(20_000 + 5_000 + 2 * 6_250);
    expect(followers.map((follower) => follower.awarenessOf('p'))).toEqual([null, null]);
  });

  test('whose node says nothing any more is gone when its time is over, not before', async () => {
    const { cluster, listener, follower, set } = await speakerAndListener();
    set('p', 'here');
    await cluster.advance(100);
    listener.bus.filter(({ kind }) => (kind === 'awareness' ? 'drop' : undefined));
    await cluster.advance(ttlMs - 1_000);
    expect(follower.awarenessOf('p')).toBe('here');
    await cluster.advance(expiryMs - ttlMs + 1_000);
    expect(follower.awarenessOf('p')).toBeNull();
  });

  test('is there again when its node, wrongly given up, has a new session', async () => {
    const { cluster, speaker, follower, set } = await speakerAndListener();
    set('p', 'here');
    await cluster.advance(100);
    speaker.pause();
    await cluster.until('its death', () => follower.awarenessOf('p') === null, 27_000);
    speaker.resume();
    await cluster.advance(2_000);
    expect(follower.awarenessOf('p')).toBe('here');
  });

  test('that went is not brought back by frames that were overtaken', async () => {
    const { cluster, listener, follower, set } = await speakerAndListener();
    const end = listener.bus.filter(({ kind }) => {
      return kind === 'awareness' ? { delayMs: 300 } : undefined;
    });
    set('p', 'here');
    await cluster.advance(60);
    set('p', 'there');
    await cluster.advance(60);
    end();
    set('p', null);
    await cluster.advance(1_000);
    expect(follower.awarenessOf('p') ?? null).toBeNull();
    expect(follower.changes.filter(({ state }) => state !== null)).toEqual([]);
  });

  test('whose farewell was lost is gone when its time is over', async () => {
    const { cluster, listener, follower, set } = await speakerAndListener();
    set('p', 'here');
    await cluster.advance(100);
    const end = listener.bus.filter(({ kind }) => (kind === 'awareness' ? 'drop' : undefined));
    set('p', null);
    await cluster.advance(100);
    end();
    await cluster.advance(expiryMs);
    expect(follower.awarenessOf('p')).toBeNull();
  });

  test('that comes back through the same node is seen, though the wall clock was put back', async () => {
    const { cluster, speaker, follower, set } = await speakerAndListener();
    set('p', 'first');
    await cluster.advance(100);
    set('p', null);
    await cluster.advance(100);
    speaker.clock.jumpWall(-3_600_000);
    set('p', 'second');
    await cluster.advance(100);
    expect(follower.awarenessOf('p')).toBe('second');
  });

  test('that moved to a node whose clock is behind is seen from there', async () => {
    const { cluster, listener, set } = await speakerAndListener();
    const other = await cluster.add('c');
    other.clock.jumpWall(-3_600_000);
    const near = await follow(cluster, listener);
    await follow(cluster, other);
    set('p', 'from a');
    await cluster.advance(100);
    other.runtime.setAwareness('doc', 'p', bytes('from c'));
    await cluster.advance(100);
    expect(near.awarenessOf('p')).toBe('from c');
    // The farewell of the node it came from does not send it away.
    set('p', null);
    await cluster.advance(200);
    expect(near.awarenessOf('p')).toBe('from c');
    await cluster.advance(2 * expiryMs);
    expect(near.awarenessOf('p')).toBe('from c');
  });

  test('that moved to a node that had not heard of it is seen from there after the farewell', async () => {
    const { cluster, follower, set } = await speakerAndListener();
    const other = await cluster.add('c');
    other.clock.jumpWall(-3_600_000);
    const end = other.bus.filter(({ kind }) => (kind === 'awareness' ? 'drop' : undefined));
    const near = await follow(cluster, other);
    set('p', 'from a');
    await cluster.advance(100);
    other.runtime.setAwareness('doc', 'p', bytes('from c'));
    await cluster.advance(100);
    end();
    set('p', null);
    await cluster.advance(200);
    expect([follower.awarenessOf('p'), near.awarenessOf('p')]).toEqual(['from c', 'from c']);
  });

  test('is told once to one who joins, though it was heard of through another node before', async () => {
    const { cluster, listener, set } = await speakerAndListener();
    set('p', 'from a');
    await cluster.advance(100);
    listener.runtime.setAwareness('doc', 'p', bytes('from b'));
    await cluster.advance(100);
    const late = await follow(cluster, listener);
    expect(late.changes.map(({ state }) => state && Buffer.from(state).toString())).toEqual([
      'from b',
    ]);
  });
});

test('two nodes with one node id see each other', async () => {
  const cluster = await MemoryCluster.start(['twin']);
  const first = cluster.nodes[0]!;
  const second = cluster.make('twin');
  await cluster.run(second.runtime.start());
  const follower = await follow(cluster, second);
  first.runtime.setAwareness('doc', 'p', bytes('here'));
  await cluster.advance(100);
  expect(follower.awarenessOf('p')).toBe('here');
});

test('what was known is not shown as news to one who follows again after a long time', async () => {
  const { cluster, listener, following, set } = await speakerAndListener();
  set('p', 'here');
  await cluster.advance(100);
  await following.close();
  await cluster.advance(6_000);
  set('p', null);
  await cluster.advance(100);
  const again = await follow(cluster, listener);
  expect(again.awarenessOf('p') ?? null).toBeNull();
  expect(again.changes.filter(({ state }) => state !== null)).toEqual([]);
});

test('a node keeps nothing of a document whose peers have gone', async () => {
  const { cluster, set, speaker } = await speakerAndListener();
  set('p', 'here');
  await cluster.advance(100);
  set('p', null);
  await cluster.advance(2 * expiryMs);
  const before = speaker.faults.count('bus.publish');
  const probes = () =>
    speaker.faults.calls.filter(({ method, args }) => {
      return method === 'publish' && args[0] === 'doc:doc';
    }).length;
  const toDocument = probes();
  await cluster.advance(120_000);
  expect(probes()).toBe(toDocument);
  expect(speaker.faults.count('bus.publish')).toBeGreaterThan(before);
});
