import { describe, expect, test } from 'vitest';
import type { ConnectionSelector } from '../../../src/runtime/presence/connection-selector.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { connect, idsOf, presenceOf, text } from './support/doors.ts';

describe('who is connected where', () => {
  test('a connection made on one node is found on another, by id, user, group, attribute and hub', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const identity = { user: 'ann', groups: ['red', 'blue'], attributes: { device: 'phone-7' } };
    const { id } = connect(cluster, 'a', identity);
    connect(cluster, 'a', { user: 'bob', hub: 'other' });
    const presence = presenceOf(cluster, 'b');
    await cluster.settle();
    const found = await cluster.run(presence.find({ id }));
    expect(found).toMatchObject([
      { id, hub: 'main', user: 'ann', groups: ['blue', 'red'], nodeId: 'a' },
    ]);
    expect(found[0]?.attributes).toMatchObject({ device: 'phone-7' });
    const selectors: ConnectionSelector[] = [
      { user: 'ann' },
      { group: 'red' },
      { attribute: { key: 'device', glob: 'phone-*' } },
      { hub: 'main' },
      { hub: 'main', user: 'ann', group: 'blue' },
    ];
    for (const selector of selectors) {
      expect(await idsOf(cluster, 'b', selector), JSON.stringify(selector)).toEqual([id]);
    }
    expect(await idsOf(cluster, 'b', { user: 'ann', hub: 'other' })).toEqual([]);
    expect(await idsOf(cluster, 'b', { attribute: { key: 'toString', glob: '*' } })).toEqual([]);
    expect(await idsOf(cluster, 'b', {})).toHaveLength(2);
    expect(await cluster.run(presence.isOnline('ann'))).toBe(true);
    expect(await cluster.run(presence.isOnline('eve'))).toBe(false);
  });

  test('what changes is heard without asking the broker again', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const first = connect(cluster, 'a', { user: 'ann' });
    await idsOf(cluster, 'b', { hub: 'main' });
    const reads = cluster.node('b').faults.count('registry.');
    const second = connect(cluster, 'a', { user: 'ann' });
    await cluster.settle();
    expect((await idsOf(cluster, 'b', { hub: 'main', user: 'ann' })).sort()).toEqual(
      [first.id, second.id].sort(),
    );
    await cluster.run(first.close());
    await cluster.settle();
    expect(await idsOf(cluster, 'b', { hub: 'main', user: 'ann' })).toEqual([second.id]);
    expect(cluster.node('b').faults.count('registry.')).toBe(reads);
  });

  test('many connections of one tick are one write to the broker', async () => {
    const cluster = await MemoryCluster.start(['a']);
    for (let index = 0; index < 300; index += 1) connect(cluster, 'a', { user: `u${index}` });
    await cluster.settle();
    expect(cluster.node('a').faults.count('registry.write')).toBe(1);
    expect(await idsOf(cluster, 'a', {})).toHaveLength(300);
  });

  test('a lost change is noticed within seconds, be it the last', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const first = connect(cluster, 'a', {});
    await idsOf(cluster, 'b', {});
    const heal = cluster.node('b').bus.filter((frame) => {
      return frame.kind === 'presence' ? 'drop' : undefined;
    });
    const second = connect(cluster, 'a', {});
    await cluster.run(first.close());
    await cluster.settle();
    expect(await idsOf(cluster, 'b', { hub: 'main' })).toEqual([first.id]);
    heal();
    await cluster.advance(4_000);
    expect(await idsOf(cluster, 'b', { hub: 'main' })).toEqual([second.id]);
  });

  test('a change after a lost one is not applied to the wrong state', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    connect(cluster, 'a', {});
    await idsOf(cluster, 'b', {});
    let dropped = 0;
    cluster.node('b').bus.filter((frame) => {
      if (frame.kind !== 'presence' || dropped > 0) return undefined;
      dropped += 1;
      return 'drop';
    });
    connect(cluster, 'a', {});
    await cluster.settle();
    connect(cluster, 'a', {});
    await cluster.settle();
    expect(dropped).toBe(1);
    expect(await idsOf(cluster, 'b', { hub: 'main' })).toHaveLength(3);
  });

  test('the connections of a killed node are gone everywhere, and from the broker', async () => {
    const cluster = await MemoryCluster.start(['a', 'b', 'c']);
    connect(cluster, 'a', { user: 'ann' });
    const { id } = connect(cluster, 'b', { user: 'bob' });
    for (const node of ['b', 'c']) expect(await idsOf(cluster, node, {})).toHaveLength(2);
    await cluster.node('a').kill();
    await cluster.advance(20_000 + 2 * 7_000);
    for (const node of ['b', 'c'])
      expect(await idsOf(cluster, node, { hub: 'main' })).toEqual([id]);
    const session = cluster.node('b').runtime.session();
    expect(await cluster.engine.registry.versions('main')).toEqual(
      new Map([[session, expect.any(Number)]]),
    );
  });

  test('a node wrongly given up for dead registers everything again by itself', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const { id } = connect(cluster, 'a', { user: 'ann', groups: ['red'] });
    expect(await idsOf(cluster, 'b', {})).toEqual([id]);
    const before = cluster.node('a').runtime.session();
    cluster.node('a').pause();
    await cluster.until('b to forget it', async () => {
      return (await presenceOf(cluster, 'b').find({ hub: 'main' })).length === 0;
    });
    cluster.node('a').resume();
    await cluster.until('it to come back', async () => {
      return (await presenceOf(cluster, 'b').find({ group: 'red', hub: 'main' })).length === 1;
    });
    expect(cluster.node('a').runtime.session()).not.toBe(before);
    await cluster.advance(30_000);
    expect(await idsOf(cluster, 'b', { user: 'ann' })).toEqual([id]);
  });

  test('a broker that lost everything gets all of it back', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const ids = ['ann', 'bob'].map((user) => connect(cluster, 'a', { user }).id).sort();
    await idsOf(cluster, 'b', {});
    cluster.broker.wipe();
    await cluster.advance(15_000);
    await cluster.add('c');
    for (const node of ['a', 'b', 'c']) {
      expect((await idsOf(cluster, node, { hub: 'main' })).sort()).toEqual(ids);
    }
  });

  test('a broker put back to an older state is corrected', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const first = connect(cluster, 'a', {});
    await idsOf(cluster, 'b', {});
    const older = cluster.broker.replica();
    const second = connect(cluster, 'a', {});
    await cluster.run(first.close());
    await cluster.settle();
    cluster.broker.failOver(older);
    await cluster.advance(15_000);
    expect(await idsOf(cluster, 'b', { hub: 'main' })).toEqual([second.id]);
    await cluster.add('c');
    expect(await idsOf(cluster, 'c', { hub: 'main' })).toEqual([second.id]);
  });

  test('the last connection of a hub, gone before the broker went back, leaves no ghost', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const last = connect(cluster, 'a', {});
    expect(await idsOf(cluster, 'b', { hub: 'main' })).toEqual([last.id]);
    const session = cluster.node('a').runtime.session() ?? '';
    const beat = async () => (await cluster.engine.sessions.read(session))?.beat;
    // Just after a beat, so that the older state has the session as it is.
    for (const before = await beat(); (await beat()) === before; ) await cluster.advance(100);
    const older = cluster.broker.replica();
    await cluster.run(last.close());
    // Long enough for its node to have forgotten that it ever wrote there.
    await cluster.advance(4_000);
    cluster.broker.failOver(older);
    await cluster.advance(15_000);
    expect(await idsOf(cluster, 'b', { hub: 'main' })).toEqual([]);
  });

  test('a write whose answer was lost is neither lost nor doubled', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const first = connect(cluster, 'a', {});
    await idsOf(cluster, 'b', {});
    cluster.node('a').faults.next('registry.write', { carriedOutThenFails: new Error('cut') }, 2);
    const second = connect(cluster, 'a', {});
    await cluster.settle();
    const third = connect(cluster, 'a', {});
    await cluster.advance(6_000);
    const ids = [first.id, second.id, third.id].sort();
    for (const node of ['a', 'b']) {
      expect((await idsOf(cluster, node, { hub: 'main' })).sort()).toEqual(ids);
    }
  });

  test('a node that stops takes its connections along at once', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    connect(cluster, 'a', {});
    expect(await idsOf(cluster, 'b', {})).toHaveLength(1);
    await cluster.run(cluster.node('a').runtime.stop());
    await cluster.settle();
    expect(await idsOf(cluster, 'b', { hub: 'main' })).toEqual([]);
  });

  test('what a connection says of itself is bounded and checked', async () => {
    const cluster = await MemoryCluster.start(['a']);
    const bad = [
      { hub: '' },
      { user: 'x'.repeat(257) },
      { user: 'a\u001b[2J' },
      { groups: Array.from({ length: 300 }, (_, index) => `g${index}`) },
      { attributes: { a: 'x'.repeat(513) } },
      { attributes: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${i}`, 'v'])) },
      { groups: Array.from({ length: 200 }, (_, index) => `${index}${'g'.repeat(100)}`) },
    ];
    for (const identity of bad) {
      expect(() => connect(cluster, 'a', identity), text(identity)).toThrow(
        expect.objectContaining({
          code: expect.stringMatching(/^(NAME_INVALID|REQUEST_INVALID|PAYLOAD_TOO_LARGE)$/),
        }),
      );
    }
    expect(await idsOf(cluster, 'a', {})).toEqual([]);
  });
});
