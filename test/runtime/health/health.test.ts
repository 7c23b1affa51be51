import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../../src/foundation/errors.ts';
import { clusterTagOf, encodeFrame } from '../../../src/runtime/frames.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { RecordingFollower } from '../../support/recording-follower.ts';
import { op } from '../../support/some-ops.ts';

async function checksOf(cluster: MemoryCluster, nodeId: string) {
  const { ready, checks } = await cluster.run(cluster.node(nodeId).runtime.readiness());
  const failed = checks.filter(({ ok }) => !ok).map(({ name }) => name);
  return { ready, failed };
}

describe('a node whose subscriber connection does not deliver', () => {
  test('notices it by itself within a few seconds, says so everywhere, and reconnects', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const { runtime, bus, counter, events } = cluster.node('a');
    bus.reconnectingHelps = false;
    bus.deaf = true;
    await cluster.advance(8_100);
    expect(bus.reconnects).toBeGreaterThanOrEqual(1);
    expect(runtime.metrics().gauges.subscriber_deaf).toBe(1);
    expect(counter('subscriber_deaf_total')).toBeGreaterThanOrEqual(1);
    expect(events.map(({ name }) => name)).toContain('subscriber.deaf');
    expect(await checksOf(cluster, 'a')).toEqual({ ready: false, failed: ['subscriber'] });
    await cluster.advance(5_000);
    const record = await cluster.engine.sessions.read(runtime.session() ?? '');
    expect(record?.vitals.deaf).toBe(true);
  });

  test('is well again once it hears itself, and nothing was missed by its followers', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const { runtime, bus } = cluster.node('a');
    const follower = new RecordingFollower();
    await cluster.run(runtime.follow('doc', 0, follower));
    bus.deaf = true;
    await cluster.run(cluster.node('b').runtime.submit('doc', op('p', 1)));
    await cluster.until('the cure', () => bus.reconnects > 0);
    await cluster.advance(2_100);
    expect(bus.deaf).toBe(false);
    expect(follower.seqs).toEqual([1]);
    expect(await checksOf(cluster, 'a')).toEqual({ ready: true, failed: [] });
    expect(runtime.metrics().gauges.subscriber_deaf).toBe(0);
  });

  test('is not believed to be deaf for one probe that was lost', async () => {
    const cluster = await MemoryCluster.start(['a']);
    const { runtime, bus } = cluster.node('a');
    let lost = 0;
    bus.filter(({ kind }) => {
      if (kind !== 'probe' || lost > 0) return undefined;
      lost += 1;
      return 'drop';
    });
    for (let second = 0; second < 20; second++) {
      await cluster.advance(1_000);
      expect(runtime.metrics().gauges.subscriber_deaf).toBe(0);
    }
    expect([lost, bus.reconnects]).toEqual([1, 0]);
  });

  test.each([
    ['of the past', 1],
    ['of the future', 1_000_000],
  ])('is not taken for well because of a probe %s', async (_of, nonce) => {
    const cluster = await MemoryCluster.start(['a']);
    const { runtime, bus } = cluster.node('a');
    bus.reconnectingHelps = false;
    await cluster.advance(4_100);
    bus.filter((frame) => (frame.kind === 'probe' && frame.nonce !== nonce ? 'drop' : undefined));
    const tag = clusterTagOf(cluster.broker.clusterRecord?.id ?? '');
    const stray = encodeFrame(tag, { kind: 'probe', nonce, payload: new Uint8Array() });
    for (let second = 0; second < 10; second++) {
      await cluster.engine.bus.publish(`inbox:${runtime.session()}`, stray);
      await cluster.advance(1_000);
    }
    expect(runtime.metrics().gauges.subscriber_deaf).toBe(1);
  });

  test('keeps its session: to be deaf is not to be dead', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const { runtime, bus, counter } = cluster.node('a');
    bus.reconnectingHelps = false;
    const session = runtime.session();
    bus.deaf = true;
    await cluster.advance(60_000);
    expect(runtime.session()).toBe(session);
    expect(counter('sessions_lost_total')).toBe(0);
  });
});

describe('a node is ready', () => {
  test('when everything was just tried and works', async () => {
    const cluster = await MemoryCluster.start(['a']);
    expect(await checksOf(cluster, 'a')).toEqual({ ready: true, failed: [] });
  });

  test.each([
    ['broker', 'sessions.read', { fails: new BackplaneError('BACKPLANE_LOST', 'cut') }],
    ['broker', 'sessions.read', { hangs: true }],
    ['store', 'store.checkWritable', { fails: new BackplaneError('STORE_FULL', 'full') }],
    ['store', 'store.checkWritable', { hangs: true }],
  ] as const)('not while its %s does not work: %s %o', async (check, name, fault) => {
    const cluster = await MemoryCluster.start(['a']);
    const end = cluster.node('a').faults.always(name, fault);
    const startedMs = cluster.clock.monotonicMs();
    expect(await checksOf(cluster, 'a')).toEqual({ ready: false, failed: [check] });
    expect(cluster.clock.monotonicMs() - startedMs).toBeLessThanOrEqual(2_100);
    end();
    expect(await checksOf(cluster, 'a')).toEqual({ ready: true, failed: [] });
  });

  test('not while its session is in doubt, nor before it started, nor after it stopped', async () => {
    const cluster = await MemoryCluster.start(['a']);
    const { runtime, faults } = cluster.node('a');
    faults.always('sessions.renew', { hangs: true });
    await cluster.advance(29_700);
    expect((await checksOf(cluster, 'a')).failed).toContain('session');
    const early = cluster.make('early');
    expect((await early.runtime.readiness()).ready).toBe(false);
    await cluster.run(runtime.stop());
    expect((await runtime.readiness()).ready).toBe(false);
  });
});
