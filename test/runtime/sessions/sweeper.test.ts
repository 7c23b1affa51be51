import { describe, expect, test } from 'vitest';
import { inboxChannel } from '../../../src/runtime/channels.ts';
import { type ClusterNode, MemoryCluster } from '../../support/memory-cluster.ts';
import type { PortFault } from '../../support/port-faults.ts';
import { op } from '../../support/some-ops.ts';

const nodeTimeoutMs = 20_000;
/** The longest pause between two sweeps, with its jitter. */
const sweepMs = 6_250;

async function leasesOf(cluster: MemoryCluster, session: string | null): Promise<string[]> {
  const docs: string[] = [];
  for await (const page of cluster.engine.inspector.leases()) {
    docs.push(...page.filter((row) => row.session === session).map(({ doc }) => doc));
  }
  return docs.sort();
}

async function threeNodesOwningTwoEach(options = {}) {
  const cluster = await MemoryCluster.start(['a', 'b', 'c'], options);
  for (const { nodeId, runtime } of cluster.nodes) {
    await cluster.run(runtime.submit(`${nodeId}-1`, op('p', 1)));
    await cluster.run(runtime.submit(`${nodeId}-2`, op('p', 1)));
  }
  const sessions = cluster.nodes.map(({ runtime }) => runtime.session());
  return { cluster, sessions };
}

describe('a node that is silent beyond the node timeout', () => {
  test('is fenced and its leases are cleared within one sweep, those of the living are not', async () => {
    const { cluster, sessions } = await threeNodesOwningTwoEach();
    cluster.node('a').pause();
    await cluster.advance(nodeTimeoutMs + 5_000 + sweepMs);
    expect(await cluster.engine.sessions.read(sessions[0] ?? '')).toMatchObject({
      state: 'dead',
      cause: 'fenced',
    });
    expect(await leasesOf(cluster, sessions[0] ?? '')).toEqual([]);
    expect(await leasesOf(cluster, sessions[1] ?? '')).toEqual(['b-1', 'b-2']);
    expect(await leasesOf(cluster, sessions[2] ?? '')).toEqual(['c-1', 'c-2']);
  });

  test('is not given up a moment earlier', async () => {
    const { cluster, sessions } = await threeNodesOwningTwoEach();
    await cluster.advance(5_000);
    cluster.node('a').pause();
    await cluster.advance(nodeTimeoutMs - 5_001);
    expect((await cluster.engine.sessions.read(sessions[0] ?? ''))?.state).toBe('live');
    cluster.node('a').resume();
    await cluster.advance(60_000);
    expect(cluster.node('a').runtime.session()).toBe(sessions[0]);
  });

  test('notices when it goes on, takes a new session and is whole again', async () => {
    const { cluster, sessions } = await threeNodesOwningTwoEach();
    cluster.node('a').pause();
    await cluster.advance(60_000);
    const taken = await cluster.run(cluster.node('b').runtime.submit('a-1', op('p', 2)));
    expect(taken).toMatchObject({ seq: 2, nodeId: 'b' });
    cluster.node('a').resume();
    const { runtime } = cluster.node('a');
    await cluster.until('a new session', () => {
      return runtime.session() !== null && runtime.session() !== sessions[0];
    });
    const through = await cluster.run(runtime.submit('a-1', op('p', 3)));
    expect(through).toMatchObject({ seq: 3, nodeId: 'b', hops: 1 });
    const own = await cluster.run(runtime.submit('a-2', op('p', 2)));
    expect(own).toMatchObject({ seq: 2, nodeId: 'a' });
    expect((await runtime.readiness()).ready).toBe(true);
  });
});

describe('a dead session', () => {
  test('that expired by its TTL alone is swept', async () => {
    const { cluster, sessions } = await threeNodesOwningTwoEach({
      dials: { nodeTimeoutMs: 600_000 },
    });
    await cluster.node('a').kill();
    await cluster.advance(30_000 + sweepMs);
    expect((await cluster.engine.sessions.read(sessions[0] ?? ''))?.cause).toBe('expired');
    expect(await leasesOf(cluster, sessions[0] ?? '')).toEqual([]);
  });

  test('is swept by another node when the sweeper died in the middle', async () => {
    const { cluster, sessions } = await threeNodesOwningTwoEach();
    const killer = cluster.node('b');
    const other = cluster.node('c');
    for (const node of [killer, other]) {
      node.faults.rule(({ port, method }) => {
        if (port !== 'leases' || method !== 'sweep') return undefined;
        // Whoever is first dies at its first step; the other one is let through.
        if (killerDied) return undefined;
        killerDied = true;
        void node.kill();
        return { hangs: true };
      });
    }
    let killerDied = false;
    await cluster.node('a').kill();
    await cluster.until('a sweep', () => killerDied);
    expect(await leasesOf(cluster, sessions[0] ?? '')).toEqual(['a-1', 'a-2']);
    await cluster.advance(30_000 + 2 * sweepMs);
    expect(await leasesOf(cluster, sessions[0] ?? '')).toEqual([]);
  });
});

describe('a sweeper that is stopped in the middle', () => {
  async function stoppedInTheMiddle(fault: (mayGoOn: Promise<void>) => PortFault) {
    const { cluster, sessions } = await threeNodesOwningTwoEach();
    const goOn = Promise.withResolvers<void>();
    let sweeper: ClusterNode | null = null;
    for (const node of [cluster.node('b'), cluster.node('c')]) {
      node.faults.rule(({ port, method }) => {
        if (port !== 'leases' || method !== 'sweep' || (sweeper ?? node) !== node) return undefined;
        sweeper = node;
        return fault(goOn.promise);
      });
    }
    await cluster.node('a').kill();
    await cluster.until('a sweep', () => sweeper !== null);
    const stopped = (sweeper as unknown as ClusterNode).runtime.stop();
    return { cluster, dead: sessions[0] ?? '', stopped, goOn };
  }

  test('finishes, so that nobody waits for its loan to expire', async () => {
    const { cluster, dead, stopped, goOn } = await stoppedInTheMiddle((mayGoOn) => ({
      waits: mayGoOn,
    }));
    await cluster.advance(100);
    goOn.resolve();
    await cluster.run(stopped);
    expect(await leasesOf(cluster, dead)).toEqual([]);
    const swept = cluster.nodes.flatMap(({ events }) =>
      events.filter(({ name, facts }) => name === 'session.swept' && facts.session === dead),
    );
    expect(swept).toHaveLength(1);
  });

  test('stops all the same when the broker does not answer', async () => {
    const { cluster, stopped } = await stoppedInTheMiddle(() => ({ hangs: true }));
    const startedMs = cluster.clock.monotonicMs();
    await cluster.run(stopped);
    expect(cluster.clock.monotonicMs() - startedMs).toBeLessThan(6_000);
  });
});

test('nobody is given up while the broker does not know yet who listens for ourselves', async () => {
  const { cluster, sessions } = await threeNodesOwningTwoEach({ dials: { leaseTtlMs: 600_000 } });
  const { faults } = cluster.node('c');
  const own = inboxChannel(cluster.node('c').runtime.session() ?? '');
  await cluster.node('b').kill();
  const end = faults.rule(({ port, method, args }) => {
    return port === 'bus' && method === 'receivers' && args[0] === own ? { answers: 0 } : undefined;
  });
  cluster.node('a').faults.always('sessions.fence', { hangs: true });
  await cluster.advance(nodeTimeoutMs + 5 * sweepMs);
  const state = async () => (await cluster.engine.sessions.read(sessions[1] ?? ''))?.state;
  expect(await state()).toBe('live');
  end();
  await cluster.advance(2 * sweepMs);
  expect(await state()).toBe('dead');
});

test('a node takes nothing any more after its session was swept, though it does not know', async () => {
  const { cluster, sessions } = await threeNodesOwningTwoEach();
  const { runtime, faults } = cluster.node('a');
  const mute = faults.always('sessions.renew', { hangs: true });
  await cluster.until('the session to be swept', async () => {
    return (await leasesOf(cluster, sessions[0] ?? '')).length === 0;
  });
  await expect(cluster.run(runtime.acquire('taken-late'))).rejects.toMatchObject({
    code: 'LEASE_UNCERTAIN',
  });
  expect(await leasesOf(cluster, sessions[0] ?? '')).toEqual([]);
  mute();
  await cluster.advance(2 * sweepMs);
  expect(runtime.session()).not.toBe(sessions[0]);
  expect(await cluster.run(runtime.acquire('taken-late'))).toMatchObject({
    session: runtime.session(),
  });
});

describe('when most nodes are silent at once', () => {
  test('nobody is given up before its TTL, because it may be the broker that is ill', async () => {
    const { cluster, sessions } = await threeNodesOwningTwoEach();
    cluster.node('a').pause();
    cluster.node('b').pause();
    await cluster.advance(29_000);
    const states = await Promise.all(
      sessions.map(async (id) => (await cluster.engine.sessions.read(id ?? ''))?.state),
    );
    expect(states).toEqual(['live', 'live', 'live']);
    expect(cluster.node('c').events.map(({ name }) => name)).toContain('sweep.withheld');
  });

  test('those whose inbox is gone as well are given up all the same', async () => {
    const { cluster, sessions } = await threeNodesOwningTwoEach();
    await cluster.node('a').kill();
    await cluster.node('b').kill();
    await cluster.advance(nodeTimeoutMs + sweepMs);
    for (const id of [sessions[0], sessions[1]]) {
      expect((await cluster.engine.sessions.read(id ?? ''))?.cause).toBe('fenced');
      expect(await leasesOf(cluster, id ?? '')).toEqual([]);
    }
  });
});

test('a node whose own connection is cut again and again gives up nobody, and does once it is calm', async () => {
  const { cluster, sessions } = await threeNodesOwningTwoEach({ dials: { leaseTtlMs: 600_000 } });
  cluster.node('a').pause();
  const state = async () => (await cluster.engine.sessions.read(sessions[0] ?? ''))?.state;
  for (let second = 0; second < 60; second++) {
    cluster.broker.interrupt();
    await cluster.advance(1_000);
  }
  expect(await state()).toBe('live');
  await cluster.advance(3_000 + sweepMs);
  expect(await state()).toBe('dead');
});

test('a node in doubt about its own session gives up nobody', async () => {
  const { cluster, sessions } = await threeNodesOwningTwoEach({ dials: { leaseTtlMs: 60_000 } });
  cluster.node('a').pause();
  cluster.node('b').pause();
  const { faults, clock } = cluster.node('c');
  faults.always('sessions.renew', { hangs: true });
  // By its own clock its session is over, so it may be the one who is out of touch.
  clock.jumpWall(120_000);
  await cluster.advance(40_000);
  expect((await cluster.engine.sessions.read(sessions[0] ?? ''))?.state).toBe('live');
  expect(faults.count('sessions.fence')).toBe(0);
  expect(faults.count('sessions.list')).toBeLessThanOrEqual(1);
});

test('a session that a broker put back to an older state has alive again is given up again by who knows of its end', async () => {
  const { cluster, sessions } = await threeNodesOwningTwoEach();
  const given = sessions[1] ?? '';
  const older = cluster.broker.replica();
  const { sessions: book } = cluster.engine;
  const beat = (await book.read(given))?.beat ?? 0;
  expect(await book.fence(given, beat, 'fenced')).toBe('fenced');
  // The others find it dead, its node does not hear of it in time.
  cluster.node('b').pause();
  await cluster.advance(sweepMs);
  cluster.broker.failOver(older);
  cluster.node('b').resume();
  await cluster.advance(nodeTimeoutMs);
  expect(await book.read(given)).toMatchObject({ state: 'dead' });
  const now = cluster.node('b').runtime.session();
  expect(now).not.toBe(given);
  for (const { runtime } of cluster.nodes) {
    await expect(cluster.run(runtime.submit('b-1', op(runtime.nodeId, 1)))).resolves.toBeDefined();
  }
  const living = (await book.list()).filter(({ state }) => state === 'live').map(({ id }) => id);
  expect(living).toContain(now);
});
