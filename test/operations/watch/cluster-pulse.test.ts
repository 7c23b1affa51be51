import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { SystemRandom } from '../../../src/drivers/system/system-random.ts';
import { ClusterPulse } from '../../../src/operations/watch/cluster-pulse.ts';
import { readDirectoryPage } from '../../../src/operations/watch/directory-page.ts';
import { DocumentWatch } from '../../../src/operations/watch/document-watch.ts';
import { silentLogger } from '../../../src/ports/logger.ts';
import type { Visitor } from '../../../src/runtime/visitor.ts';
import { openVisitor } from '../../../src/runtime/visitor-runtime.ts';
import { type NodeCluster, startNodeCluster } from '../../support/node-cluster.ts';
import { realClock } from '../../support/real-clock.ts';
import { monitorRedis } from '../../support/redis-monitor.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: NodeCluster;
let visitor: Visitor;

beforeAll(async () => {
  cluster = await startNodeCluster('node-a', 'node-b', 'node-c');
  const world = {
    engine: cluster.engine,
    clock: realClock,
    random: new SystemRandom(),
    logger: silentLogger,
  };
  visitor = await openVisitor(world, { mayFence: false });
});

afterAll(async () => {
  await visitor?.close();
  await cluster?.stop();
});

function pulse(): ClusterPulse {
  const { sessions, inspector } = cluster.engine;
  return new ClusterPulse({ sessions, inspector, visitor, clock: realClock });
}

function sources() {
  const { sessions, leases } = cluster.engine;
  return { sessions, leases, visitor, clock: realClock };
}

/** What looking made the broker do: what the looker sent, and the answers that nodes sent to it. */
async function commandsSpent(look: () => Promise<unknown>): Promise<number> {
  const monitor = await monitorRedis(cluster.redis);
  await cluster.engine.inspector.ping();
  await look();
  const seen = await monitor.seen();
  monitor.stop();
  // The ping above tells which connection is ours.
  const own = seen.find(({ verb }) => verb === 'ping')?.by;
  return (
    seen.filter(
      ({ by, verb, text }) => by === own || (verb === 'publish' && text.includes('inbox:visitor-')),
    ).length - 1
  );
}

describe('the pulse of a cluster', () => {
  test('counts nodes, documents and ops, and what they cost', async () => {
    const looking = pulse();
    const first = await looking.look({ contains: '', limit: 10 });
    expect(first.totals).toMatchObject({ nodes: { live: 3 }, opsPerSecond: null });
    for (let n = 0; n < 20; n++) await cluster.write('counted', `{"n":${n}}`);
    const second = await looking.look({ contains: '', limit: 10 });
    expect(second.totals.opsPerSecond).toBeGreaterThan(0);
    expect(second.totals.p99Ms).toBeGreaterThan(0);
    expect(second.documents?.rows[0]).toMatchObject({ doc: 'counted', seq: 20 });
    expect(second.nodes.map(({ nodeId }) => nodeId)).toEqual(['node-a', 'node-b', 'node-c']);
    expect(second.nodes.every(({ answered }) => answered)).toBe(true);
  });

  test('sends as many commands as it says, also with a thousand documents more', async () => {
    const looking = pulse();
    const told = (await looking.look({ contains: '', limit: 100 })).cost.brokerCommands;
    const looks = async () => {
      for (let n = 0; n < 20; n++) await looking.look({ contains: '', limit: 100 });
    };
    const few = (await commandsSpent(looks)) / 20;
    expect(few).toBeGreaterThan(told - 2);
    // A reply that takes longer than usual makes the looker ask whether its node still listens.
    expect(few).toBeLessThan(told + 4);
    const node = await cluster.node('node-d');
    for (let n = 0; n < 1_000; n += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, at) => node.acquire(`many-${n + at}`)));
    }
    const now = await looking.look({ contains: '', limit: 100 });
    expect(now.documents?.matching).toBeGreaterThanOrEqual(1_000);
    expect(now.documents?.rows).toHaveLength(100);
    const many = (await commandsSpent(looks)) / 20;
    // A node more is a session, a question and an answer more; the documents are nothing.
    expect(many).toBeLessThan(told + 3 + 4);
    await node.stop();
  });

  test('finds documents by a part of their name, wherever they are', async () => {
    await cluster.write('needle-in-hay', '{}');
    const { documents } = await pulse().look({ contains: 'needle', limit: 10 });
    expect(documents).toMatchObject({ matching: 1, rows: [{ doc: 'needle-in-hay' }] });
  });

  test('does not wait for a node that stands still, and calls it mute the second time', async () => {
    const doomed = await cluster.node('node-mute');
    await doomed.stop('crash');
    const looking = pulse();
    const isMute = async () => {
      const { nodes, cost } = await looking.look();
      expect(cost.tookMs).toBeLessThan(3_000);
      return nodes.find(({ nodeId }) => nodeId === 'node-mute')?.answered === false;
    };
    expect([await isMute(), await isMute()]).toEqual([false, true]);
  });

  test('gives a first picture that waits for no node', async () => {
    const { nodes, totals, cost } = await pulse().glance();
    expect(nodes.length).toBeGreaterThanOrEqual(3);
    expect(totals).toMatchObject({ opsPerSecond: null, p99Ms: null });
    expect(cost.brokerCommands).toBeLessThanOrEqual(4 + nodes.length + 2);
  });
});

describe('a page of the directory', () => {
  test('shows who owns each document, also nobody, from a prefix on', async () => {
    await cluster.write('page-1', '{}');
    await cluster.write('page-2', '{}');
    await cluster.write('pagf', '{}');
    const owner = await cluster.engine.leases.read('page-2');
    await cluster.engine.leases.release('page-2', owner!.session, owner!.epoch, null);
    const page = await readDirectoryPage(sources(), { from: null, prefix: 'page-', limit: 10 });
    expect(page.rows.map(({ doc, state }) => [doc, state])).toEqual([
      ['page-1', 'held'],
      ['page-2', 'free'],
    ]);
    expect(page.next).toBeNull();
    const exact = await readDirectoryPage(sources(), { from: null, prefix: 'page-1', limit: 10 });
    expect(exact.rows.map(({ doc }) => doc)).toEqual(['page-1']);
    const turned = await readDirectoryPage(sources(), {
      from: 'page-1',
      prefix: 'page-',
      limit: 1,
    });
    expect(turned.rows.map(({ doc }) => doc)).toEqual(['page-2']);
  });
});

describe('a document that is watched', () => {
  test('shows its log, what comes, its peers, and its owners before', async () => {
    await cluster.write('watched', '{"n":1}');
    const watch = new DocumentWatch(sources(), 'watched');
    try {
      await watch.start();
      await vi.waitFor(async () => expect((await watch.look()).seq).toBe(1), { timeout: 10_000 });
      await cluster.write('watched', '{"n":2}');
      await vi.waitFor(async () => expect((await watch.look()).seq).toBe(2), { timeout: 10_000 });
      const before = (await watch.look()).lease!;
      const target = before.nodeId === 'node-a' ? 'node-b' : 'node-a';
      const found = (await cluster.engine.sessions.list()).find(
        ({ description, state }) => state === 'live' && description.nodeId === target,
      );
      const params = { doc: 'watched', session: found!.id };
      await visitor.control(before.session, 'lease.move', params);
      await vi.waitFor(
        async () => {
          const { owners, lease } = await watch.look();
          expect(lease?.nodeId).toBe(target);
          expect(owners.map(({ nodeId }) => nodeId)).toEqual([target, before.nodeId]);
        },
        { timeout: 10_000 },
      );
      const { peers, lines, failure } = await watch.look();
      expect(peers).toHaveLength(2);
      expect(lines.filter(({ type }) => type === 'op')).toHaveLength(2);
      expect(failure).toBeNull();
    } finally {
      await watch.stop();
    }
  });
});
