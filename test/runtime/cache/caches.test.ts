import { describe, expect, test } from 'vitest';
import type { BackplaneError } from '../../../src/foundation/errors.ts';
import { cachedCluster } from './support/cached-cluster.ts';

const isCacheFrame = (frame: { kind: string }) => frame.kind === 'cache';

describe('a cache', () => {
  test('loads once and then serves from this node until its time-to-live is over', async () => {
    const { cluster, source, nodes } = await cachedCluster(['a'], { ttlMs: 5_000 });
    source.values.set('u1', 'Ada');
    expect([await nodes[0].get('u1'), await nodes[0].get('u1')]).toEqual(['Ada', 'Ada']);
    expect(source.asked).toEqual(['u1']);
    source.values.set('u1', 'Bea');
    await cluster.advance(5_001);
    expect(await nodes[0].get('u1')).toBe('Bea');
  });

  test('shares one load between all who want the key at once, and its failure too', async () => {
    const { cluster, source, nodes } = await cachedCluster(['a']);
    const gate = Promise.withResolvers<void>();
    source.gate = gate.promise;
    const many = [1, 2, 3, 4].map(() => nodes[0].cache.get('u1', source.load));
    await cluster.settle();
    expect(source.asked).toEqual(['u1']);
    gate.reject(new Error('no source'));
    const outcomes = await Promise.allSettled(many);
    expect(outcomes.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
    source.gate = null;
    expect(await nodes[0].get('u1')).toBe('no u1');
  });

  test('keeps null and hands on undefined without keeping it', async () => {
    const { cluster, nodes } = await cachedCluster(['a']);
    const cache = nodes[0].cache as unknown as { get(key: string, load: () => unknown): unknown };
    let loads = 0;
    const load = (value: unknown) => () => {
      loads += 1;
      return value;
    };
    for (const value of [null, null, undefined, undefined]) {
      await cluster.run(cache.get(`k:${value}`, load(value)) as Promise<unknown>);
    }
    expect(loads).toBe(3);
  });

  test('evicts a key, a prefix and a region on every node, once', async () => {
    const { cluster, source, nodes, report } = await cachedCluster(['a', 'b', 'c']);
    const keys = ['u:1', 'u:2', 'v:1'];
    const fill = async () => {
      for (const { get } of nodes) for (const key of keys) await get(key);
      source.asked.length = 0;
    };
    const gone = async (evict: () => Promise<void>) => {
      await fill();
      await cluster.run(evict());
      await cluster.settle();
      return nodes.map(({ cache }) => keys.filter((key) => cache.peek(key) === undefined));
    };
    expect(await gone(() => nodes[0].cache.evict('u:1'))).toEqual(Array(3).fill(['u:1']));
    const prefix = ['u:1', 'u:2'];
    expect(await gone(() => nodes[1].cache.evictPrefix('u:'))).toEqual(Array(3).fill(prefix));
    expect(await gone(() => nodes[2].cache.evictRegion())).toEqual(Array(3).fill(keys));
    const everything = () => nodes[0].node.runtime.caches.evictAll();
    expect(await gone(everything)).toEqual(Array(3).fill(keys));
    for (const at of [0, 1, 2]) {
      expect(report(at)).toMatchObject({ evictionsHeard: 4, echoFactor: 1, gaps: 0, flushes: 0 });
    }
    const sent = [0, 1, 2].map((at) => report(at)?.evictionsSent);
    expect(sent).toEqual([2, 1, 1]);
  });

  test('an eviction during a load: its callers get the value, nobody keeps it or joins it', async () => {
    const { cluster, source, nodes } = await cachedCluster(['a', 'b']);
    source.values.set('u1', 'old');
    const gate = Promise.withResolvers<void>();
    source.gate = gate.promise;
    const early = nodes[1].cache.get('u1', source.load);
    await cluster.settle();
    source.values.set('u1', 'new');
    await cluster.run(nodes[0].cache.evict('u1'));
    await cluster.settle();
    const late = nodes[1].cache.get('u1', source.load);
    gate.resolve();
    expect([await early, await late]).toEqual(['old', 'new']);
    expect(nodes[1].cache.peek('u1')).toBe('new');
    expect(source.asked).toHaveLength(2);
  });

  test('keeps at most so many values, the latest used', async () => {
    const { nodes, report } = await cachedCluster(['a'], { entriesMax: 2 });
    for (const key of ['1', '2', '1', '3']) await nodes[0].get(key);
    expect(['1', '2', '3'].map((key) => nodes[0].cache.peek(key) !== undefined)).toEqual([
      true,
      false,
      true,
    ]);
    expect(report(0)).toMatchObject({ entries: 2, hits: 1, misses: 3, hitRate: 0.25 });
  });

  test('refuses a region twice on one node, and options that cannot be', async () => {
    const { cluster, nodes } = await cachedCluster(['a']);
    const { caches } = nodes[0].node.runtime;
    const codeOf = (options: object) => {
      try {
        caches.create({ region: 'other', ...options });
      } catch (error) {
        return (error as BackplaneError).code;
      }
      return 'fine';
    };
    expect(codeOf({ region: 'users' })).toBe('CONFLICT');
    expect(codeOf({ region: 'two words' })).toBe('NAME_INVALID');
    expect(codeOf({ region: '' })).toBe('NAME_INVALID');
    for (const wrong of [
      { entriesMax: 0 },
      { ttlMs: -1 },
      { l2: { ttlMs: Number.NaN } },
      { stalenessMs: 1 },
      { whenCut: 'never' },
      { encode: () => new Uint8Array(0) },
    ]) {
      expect(codeOf(wrong)).toBe('CONFIG_INVALID');
    }
    await cluster.run(nodes[0].cache.close());
    expect(codeOf({ region: 'users' })).toBe('fine');
    expect((await cluster.failure(nodes[0].get('u1'))).code).toBe('CLOSED');
  });

  test('evicts by name only a region that some node has', async () => {
    const { cluster, nodes } = await cachedCluster(['a', 'b']);
    await cluster.run(nodes[0].cache.close());
    const { caches } = nodes[0].node.runtime;
    await nodes[1].get('u1');
    await cluster.run(caches.evictNamed('users', { kind: 'region' }));
    await cluster.settle();
    expect(nodes[1].cache.peek('u1')).toBeUndefined();
    const failure = await cluster.failure(caches.evictNamed('nobodys', { kind: 'region' }));
    expect(failure).toMatchObject({ code: 'CACHE_REGION_UNKNOWN', certainty: 'definite' });
  });
});

describe('a lost announcement', () => {
  test('shows with the next one, and empties this region of this node only', async () => {
    const { cluster, nodes, add, report } = await cachedCluster(['a', 'b']);
    const other = add('b', { region: 'other' });
    await cluster.settle();
    for (const { get } of [...nodes, other]) await get('u1');
    const end = nodes[1].node.bus.filter((frame) => (isCacheFrame(frame) ? 'drop' : undefined));
    await cluster.run(nodes[0].cache.evict('u2'));
    await cluster.settle();
    end();
    expect(nodes[1].cache.peek('u1')).toBe('no u1');
    await cluster.run(nodes[0].cache.evict('u3'));
    await cluster.settle();
    expect(nodes[1].cache.peek('u1')).toBeUndefined();
    expect([nodes[0].cache.peek('u1'), other.cache.peek('u1')]).toEqual(['no u1', 'no u1']);
    expect(report(1)).toMatchObject({ gaps: 1, flushes: 1, stamp: 2, state: 'current' });
  });

  test('is noticed within seconds when it was the last one', async () => {
    const { cluster, source, nodes } = await cachedCluster(['a', 'b']);
    source.values.set('u1', 'old');
    await nodes[1].get('u1');
    nodes[1].node.bus.filter((frame) => (isCacheFrame(frame) ? 'drop' : undefined));
    source.values.set('u1', 'new');
    await cluster.run(nodes[0].cache.evict('u1'));
    expect(await nodes[1].get('u1')).toBe('old');
    await cluster.advance(3_000);
    expect(await nodes[1].get('u1')).toBe('new');
  });

  test('a doubled or a late one flushes nothing and counts as an echo', async () => {
    const { cluster, nodes, report } = await cachedCluster(['a', 'b']);
    await nodes[1].get('u1');
    nodes[1].node.bus.filter((frame) => (isCacheFrame(frame) ? 'twice' : undefined));
    await cluster.run(nodes[0].cache.evict('u2'));
    await cluster.settle();
    expect(nodes[1].cache.peek('u1')).toBe('no u1');
    expect(report(1)).toMatchObject({ flushes: 0, evictionsHeard: 2, echoFactor: 2 });
  });

  test('a reconnect during which nothing was evicted flushes nothing', async () => {
    const { cluster, nodes, report } = await cachedCluster(['a', 'b']);
    await nodes[1].get('u1');
    cluster.broker.interrupt();
    await cluster.advance(5_000);
    expect(nodes[1].cache.peek('u1')).toBe('no u1');
    expect(report(1)).toMatchObject({ flushes: 0, state: 'current' });
  });
});

describe('a broker out of reach', () => {
  const cut = async (options: object) => {
    const world = await cachedCluster(['a', 'b'], options);
    world.source.values.set('u1', 'old');
    await world.nodes[1].get('u1');
    world.cluster.broker.stopAnswering();
    world.source.values.set('u1', 'new');
    return world;
  };

  test('values are served within the staleness bound, and loaded each time after it', async () => {
    const { cluster, source, nodes, report } = await cut({ stalenessMs: 10_000 });
    await cluster.advance(8_000);
    expect(await nodes[1].get('u1')).toBe('old');
    await cluster.advance(2_500);
    expect(await nodes[1].get('u1')).toBe('new');
    source.values.set('u1', 'newer');
    expect(await nodes[1].get('u1')).toBe('newer');
    expect(report(1)).toMatchObject({ state: 'cut', inDoubt: 2 });
    const { checks } = await cluster.run(nodes[1].node.runtime.readiness());
    expect(checks.find(({ name }) => name === 'cache')).toMatchObject({ ok: false });
    cluster.broker.answerAgain();
    await cluster.advance(3_000);
    expect(report(1)).toMatchObject({ state: 'current' });
    const after = await cluster.run(nodes[1].node.runtime.readiness());
    expect(after.checks.find(({ name }) => name === 'cache')).toMatchObject({ ok: true });
  });

  test('or refused, or served all the same, as the region was set up', async () => {
    const failing = await cut({ whenCut: 'fail' });
    await failing.cluster.advance(10_500);
    const failure = await failing.cluster.failure(failing.nodes[1].get('u1'));
    expect(failure).toMatchObject({ code: 'CACHE_STALE', certainty: 'definite' });
    expect(failing.nodes[1].cache.peek('u1')).toBeUndefined();
    const serving = await cut({ whenCut: 'serve' });
    await serving.cluster.advance(10_500);
    expect(await serving.nodes[1].get('u1')).toBe('old');
  });

  test('an eviction fails and says so; this node serves nothing evicted', async () => {
    const { cluster, nodes } = await cut({});
    const failure = await cluster.failure(nodes[1].cache.evict('u1'));
    expect(failure).toMatchObject({ code: 'BACKPLANE_UNREACHABLE', certainty: 'definite' });
    expect(await nodes[1].get('u1')).toBe('new');
  });
});

describe('a node that stood still', () => {
  test('serves nothing old when it goes on, before its first timer has run', async () => {
    const { cluster, source, nodes } = await cachedCluster(['a', 'b']);
    source.values.set('u1', 'old');
    await nodes[1].get('u1');
    nodes[1].node.pause();
    source.values.set('u1', 'new');
    await cluster.run(nodes[0].cache.evict('u1'));
    await cluster.advance(11_000);
    expect(nodes[1].cache.peek('u1')).toBeUndefined();
    nodes[1].node.resume();
    expect(await nodes[1].get('u1')).toBe('new');
  });
});

describe('a broker that lost or rewound its data', () => {
  test('empties what may be stale, also when nothing had been evicted before', async () => {
    const { cluster, source, nodes, report } = await cachedCluster(['a', 'b']);
    source.values.set('u1', 'old');
    for (const { get } of nodes) await get('u1');
    nodes[1].node.bus.filter((frame) => (isCacheFrame(frame) ? 'drop' : undefined));
    source.values.set('u1', 'new');
    await cluster.run(nodes[0].cache.evict('u1'));
    cluster.broker.wipe();
    await cluster.advance(2_500);
    expect(await nodes[1].get('u1')).toBe('new');
    expect(report(1)).toMatchObject({ state: 'current', stamp: 0 });
  });

  test('an eviction it has forgotten is repeated by whoever knows of it', async () => {
    const world = await cachedCluster(['a', 'b'], { l2: { ttlMs: 600_000 } });
    const { cluster, source, nodes } = world;
    source.values.set('u1', 'old');
    await nodes[1].get('u1');
    await cluster.advance(100);
    const replica = cluster.broker.replica();
    source.values.set('u1', 'new');
    await cluster.run(nodes[0].cache.evict('u1'));
    await cluster.settle();
    cluster.broker.failOver(replica);
    await cluster.advance(2_500);
    for (const { get } of nodes) expect(await get('u1')).toBe('new');
    const { cacheRecords } = cluster.engine;
    const { value } = await cacheRecords.read('users', 'u1');
    expect(value && Buffer.from(value).toString()).toBe('"new"');
  });
});

describe('values shared through the broker', () => {
  test('one node loads for all', async () => {
    const { source, nodes, report } = await cachedCluster(['a', 'b'], { l2: {} });
    source.values.set('u1', 'Ada');
    expect([await nodes[0].get('u1'), await nodes[1].get('u1')]).toEqual(['Ada', 'Ada']);
    expect(source.asked).toEqual(['u1']);
    expect(report(1)).toMatchObject({ l2: true, l2Hits: 1, loads: 0 });
  });

  test('a load that an eviction overtook is not shared', async () => {
    const { cluster, source, nodes, report } = await cachedCluster(['a', 'b'], { l2: {} });
    source.values.set('u1', 'old');
    const gate = Promise.withResolvers<void>();
    source.gate = gate.promise;
    const early = nodes[0].cache.get('u1', source.load);
    await cluster.settle();
    source.values.set('u1', 'new');
    await cluster.run(nodes[1].cache.evict('u1'));
    gate.resolve();
    expect(await cluster.run(early)).toBe('old');
    await cluster.settle();
    expect(report(0)).toMatchObject({ l2Refused: 1 });
    expect(await nodes[1].get('u1')).toBe('new');
  });

  test('what the broker holds is not believed: what poisons prototypes is loaded again', async () => {
    const { cluster, source, nodes, report } = await cachedCluster(['a'], { l2: {} });
    source.values.set('u1', 'Ada');
    const { cacheRecords } = cluster.engine;
    const { mark } = await cacheRecords.read('users', 'u1');
    const value = Buffer.from('{"__proto__":{"isAdmin":true}}');
    await cacheRecords.write({ region: 'users', key: 'u1', value, ttlMs: 60_000, mark });
    expect(await nodes[0].get('u1')).toBe('Ada');
    expect(report(0)).toMatchObject({ l2Failures: 1 });
  });
});
