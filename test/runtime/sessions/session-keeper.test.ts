import { describe, expect, test } from 'vitest';
import { BackplaneError } from '../../../src/foundation/errors.ts';
import type { SessionRenewal } from '../../../src/ports/sessions.ts';
import { trustedMs } from '../../../src/runtime/sessions/session-deadline.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { op, submitMany } from '../../support/some-ops.ts';

const lost = () => new BackplaneError('BACKPLANE_LOST', 'the connection broke');
const trust = trustedMs(30_000);

async function oneNodeWithADocument() {
  const cluster = await MemoryCluster.start(['a']);
  const node = cluster.node('a');
  await cluster.run(node.runtime.submit('doc', op('p', 1)));
  return { cluster, node };
}

describe('the deadline of a session', () => {
  test('is counted from when the renewal was sent, not from when its answer came', async () => {
    const { cluster, node } = await oneNodeWithADocument();
    const answered = Promise.withResolvers<void>();
    let sentMs = 0;
    const endDelay = node.faults.rule(({ port, method }) => {
      if (port !== 'sessions' || method !== 'renew') return undefined;
      sentMs = cluster.clock.monotonicMs();
      endDelay();
      node.faults.always('sessions.renew', { hangs: true });
      return { waits: answered.promise };
    });
    await cluster.until('a renewal', () => sentMs > 0);
    await cluster.advance(1_900);
    answered.resolve();
    await cluster.advance(sentMs + trust - 10 - cluster.clock.monotonicMs());
    expect(node.runtime.ownedEpoch('doc')).toBe(1);
    await cluster.advance(20);
    expect(node.runtime.ownedEpoch('doc')).toBeNull();
  });

  test('ends by the wall clock alone when the machine slept, until the next renewal', async () => {
    const { cluster, node } = await oneNodeWithADocument();
    node.clock.jumpWall(40_000);
    expect(node.runtime.ownedEpoch('doc')).toBeNull();
    await cluster.advance(5_000);
    expect(node.runtime.ownedEpoch('doc')).toBe(1);
  });

  test('does not move when the wall clock is put back', async () => {
    const { cluster, node } = await oneNodeWithADocument();
    node.faults.always('sessions.renew', { hangs: true });
    node.clock.jumpWall(-3_600_000);
    expect(node.runtime.ownedEpoch('doc')).toBe(1);
    await cluster.advance(trust);
    expect(node.runtime.ownedEpoch('doc')).toBeNull();
  });

  test('once passed, ops are refused as LEASE_UNCERTAIN before anybody else may own the document', async () => {
    const { cluster, node } = await oneNodeWithADocument();
    const session = node.runtime.session() ?? '';
    node.faults.always('sessions.renew', { hangs: true });
    await cluster.advance(trust);
    const record = await cluster.engine.sessions.read(session);
    expect(record?.state).toBe('live');
    const failure = await cluster.failure(
      node.runtime.submit('doc', op('p', 2), { timeoutMs: 50 }),
    );
    expect(failure).toMatchObject({ code: 'LEASE_UNCERTAIN', certainty: 'definite' });
    expect((await cluster.store.head('doc'))?.seq).toBe(1);
  });

  test('once passed, calls to the document are refused as well, and nobody can be told he owns it', async () => {
    const { cluster, node } = await oneNodeWithADocument();
    let ran = 0;
    node.runtime.handle('touch', () => {
      ran += 1;
      return new Uint8Array();
    });
    node.faults.always('sessions.renew', { hangs: true });
    await cluster.advance(trust);
    const target = { kind: 'doc', doc: 'doc' } as const;
    const call = node.runtime.request(target, 'touch', new Uint8Array(), { timeoutMs: 50 });
    expect((await cluster.failure(call)).code).toBe('LEASE_UNCERTAIN');
    expect((await cluster.failure(node.runtime.acquire('doc'))).code).toBe('LEASE_UNCERTAIN');
    expect(ran).toBe(0);
  });
});

describe('renewals', () => {
  test('carry a beat that grows with each one sent, also when the last one failed', async () => {
    const { cluster, node } = await oneNodeWithADocument();
    node.faults.next('sessions.renew', { fails: lost() });
    node.faults.next('sessions.renew', { carriedOutThenFails: lost() });
    node.faults.next('sessions.renew', { hangs: true });
    await cluster.advance(30_000);
    const beats = node.faults.calls
      .filter(({ method }) => method === 'renew')
      .map(({ args }) => (args[0] as SessionRenewal).beat);
    expect(beats.length).toBeGreaterThan(5);
    expect(beats).toEqual(beats.map((_, index) => index + 1));
    expect(node.counter('sessions_lost_total')).toBe(0);
  });

  test('that hang fail after two seconds, and are sent again at once', async () => {
    const { cluster, node } = await oneNodeWithADocument();
    node.faults.next('sessions.renew', { hangs: true });
    const before = node.faults.count('sessions.renew');
    await cluster.until('the first', () => node.faults.count('sessions.renew') === before + 1);
    await cluster.advance(2_300);
    expect(node.faults.count('sessions.renew')).toBe(before + 2);
    expect(node.counter('renewals_failed_total')).toBe(1);
  });

  test('one answered stale does not prolong the trust', async () => {
    const { cluster, node } = await oneNodeWithADocument();
    const session = node.runtime.session() ?? '';
    // Another renewal of the same session was faster: as if one had been delivered twice.
    const first = node.faults.calls.find(({ method }) => method === 'renew');
    expect(first).toBeUndefined();
    let token = '';
    node.faults.rule(({ method, args }) => {
      if (method === 'renew') token = (args[0] as SessionRenewal).token;
      return undefined;
    });
    await cluster.until('a renewal', () => token !== '');
    const renewedMs = cluster.clock.monotonicMs();
    const vitals = { documents: 0, connections: 0, draining: false, deaf: false };
    const renewal = { id: session, token, beat: 1_000, ttlMs: 30_000, vitals };
    await cluster.engine.sessions.renew(renewal);
    await cluster.advance(renewedMs + trust - 10 - cluster.clock.monotonicMs());
    expect(node.runtime.ownedEpoch('doc')).toBe(1);
    await cluster.advance(20);
    expect(node.runtime.ownedEpoch('doc')).toBeNull();
  });

  test('cost the same with one document and with five thousand', async () => {
    const costs: Record<string, number>[] = [];
    for (const documents of [1, 5_000]) {
      const cluster = await MemoryCluster.start(['a', 'b']);
      const node = cluster.node('a');
      const docs = Array.from({ length: documents }, (_, index) => `doc-${index}`);
      await cluster.run(Promise.all(docs.map((doc) => node.runtime.submit(doc, op('p', 1)))));
      // Beyond the first snapshots, which are due by then.
      await cluster.advance(10_000);
      node.faults.calls.length = 0;
      await cluster.advance(60_000);
      costs.push({
        calls: node.faults.calls.length - node.faults.count('bus.'),
        publishes: node.faults.count('bus.publish'),
        leases: node.faults.count('leases.'),
        store: node.faults.count('store.'),
        renewals: node.faults.count('sessions.renew'),
      });
    }
    expect(costs[1]?.leases).toBe(0);
    expect(costs[1]?.store).toBe(0);
    expect(costs[1]?.renewals).toBe(costs[0]?.renewals);
    // The sweeps are drawn by chance, so there may be one more or less.
    expect(Math.abs(costs[1]!.calls! - costs[0]!.calls!)).toBeLessThanOrEqual(4);
    expect(Math.abs(costs[1]!.publishes! - costs[0]!.publishes!)).toBeLessThanOrEqual(2);
  });
});

describe('a session found dead', () => {
  test('is replaced by a new one, the documents are dropped, and the node serves again', async () => {
    const { cluster, node } = await oneNodeWithADocument();
    const old = node.runtime.session() ?? '';
    const beat = (await cluster.engine.sessions.read(old))?.beat ?? -1;
    expect(await cluster.engine.sessions.fence(old, beat, 'fenced')).toBe('fenced');
    await cluster.until('a new session', () => node.runtime.session() !== old);
    await cluster.until('the session', () => node.runtime.session() !== null);
    expect(node.runtime.metrics().gauges.documents_owned).toBe(0);
    expect(node.counter('sessions_lost_total')).toBe(1);
    const receipt = await cluster.run(node.runtime.submit('doc', op('p', 2)));
    expect(receipt).toMatchObject({ seq: 2, epoch: 2, nodeId: 'a' });
  });

  test('ends the requests that waited for a reply, as ones that may have been carried out', async () => {
    const cluster = await MemoryCluster.start(['a', 'b'], { fastTakeover: false });
    cluster.node('b').runtime.handle('wait', () => new Promise(() => {}));
    const { runtime } = cluster.node('a');
    const target = { kind: 'node', nodeId: 'b' } as const;
    const call = runtime.request(target, 'wait', new Uint8Array(), { timeoutMs: 60_000 });
    call.catch(() => {});
    await cluster.advance(100);
    const session = runtime.session() ?? '';
    const beat = (await cluster.engine.sessions.read(session))?.beat ?? -1;
    await cluster.engine.sessions.fence(session, beat, 'fenced');
    const failure = await cluster.failure(call);
    expect(failure).toMatchObject({ code: 'SESSION_LOST', certainty: 'indefinite' });
    expect(failure.tookMs).toBeLessThan(6_000);
  });

  test('leaves no document that is loaded under it and wedged for ever', async () => {
    const { cluster, node } = await oneNodeWithADocument();
    await cluster.run(node.runtime.release('doc'));
    const mayRead = Promise.withResolvers<void>();
    node.faults.next('store.read', { waits: mayRead.promise });
    const taking = cluster.failure(node.runtime.acquire('doc'));
    await cluster.settle();
    const old = node.runtime.session() ?? '';
    const beat = (await cluster.engine.sessions.read(old))?.beat ?? -1;
    await cluster.engine.sessions.fence(old, beat, 'fenced');
    await cluster.until('a new session', () => {
      return node.runtime.session() !== null && node.runtime.session() !== old;
    });
    mayRead.resolve();
    expect((await taking).code).toBe('LEASE_UNCERTAIN');
    const receipt = await cluster.run(node.runtime.submit('doc', op('p', 2)));
    expect(receipt.seq).toBe(2);
  });
});

describe('opening a session', () => {
  test('draws another id after an answer that was lost', async () => {
    const cluster = await MemoryCluster.start(['a']);
    const node = cluster.node('a');
    const old = node.runtime.session() ?? '';
    const beat = (await cluster.engine.sessions.read(old))?.beat ?? -1;
    node.faults.next('sessions.open', { carriedOutThenFails: lost() });
    node.faults.next('sessions.open', { hangs: true });
    await cluster.engine.sessions.fence(old, beat, 'fenced');
    await cluster.until('a new session', () => {
      return node.runtime.session() !== old && node.runtime.session() !== null;
    });
    const ids = node.faults.calls
      .filter(({ method }) => method === 'open')
      .map(({ args }) => (args[0] as { id: string }).id);
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(4);
    expect(node.runtime.session()).toBe(ids.at(-1));
  });

  test('comes after listening on the inbox of the new session, so that it is never found empty', async () => {
    const cluster = await MemoryCluster.start([]);
    const { runtime, faults } = cluster.make('a');
    const mayListen = Promise.withResolvers<void>();
    faults.next('bus.subscribe', { waitsFirst: mayListen.promise });
    const starting = runtime.start();
    await cluster.advance(1_000);
    expect(faults.count('sessions.open')).toBe(0);
    mayListen.resolve();
    await cluster.run(starting);
    expect(cluster.broker.channels.get(`inbox:${runtime.session()}`)?.size).toBe(1);
  });
});

describe('a broker that lost data', () => {
  test('everything: the nodes open new sessions, agree again, and epochs go on growing', async () => {
    const cluster = await MemoryCluster.start(['a', 'b', 'c']);
    const [a, b] = [cluster.node('a'), cluster.node('b')];
    const first = await cluster.run(submitMany(a.runtime, 'doc', 'p', { from: 1, to: 20 }));
    cluster.broker.wipe();
    const second = await cluster.run(submitMany(b.runtime, 'doc', 'p', { from: 21, to: 40 }));
    expect(second.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, i) => 21 + i));
    expect(second[0]!.epoch).toBeGreaterThan(first[0]!.epoch);
    await cluster.advance(10_000);
    const live = (await cluster.engine.sessions.list()).filter(({ state }) => state === 'live');
    expect(live.map(({ description }) => description.nodeId).sort()).toEqual(['a', 'b', 'c']);
    expect(await cluster.engine.clusterRecords.read()).not.toBeNull();
    const late = await cluster.add('d');
    const third = await cluster.run(late.runtime.submit('doc', op('q', 1)));
    expect(third.seq).toBe(41);
  });

  test('again and again: nothing acknowledged is lost, and no epoch is granted twice', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    const epochs = new Set<number>();
    for (let round = 0; round < 10; round++) {
      const { runtime } = cluster.node(round % 2 === 0 ? 'a' : 'b');
      const from = round * 5 + 1;
      const receipts = await cluster.run(submitMany(runtime, 'doc', 'p', { from, to: from + 4 }));
      expect(receipts.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4].map((more) => from + more));
      for (const { epoch } of receipts) epochs.add(epoch);
      cluster.broker.wipe();
      await cluster.advance(4_000);
    }
    expect([...epochs]).toEqual([...epochs].sort((x, y) => x - y));
    expect(epochs.size).toBe(10);
  });

  test('a little: a renewal that finds an older beat ends the session, old leases included', async () => {
    const { cluster, node } = await oneNodeWithADocument();
    await cluster.advance(20_000);
    const old = node.runtime.session();
    const end = node.faults.rule(({ method, args }) => {
      if (method !== 'renew') return undefined;
      end();
      // What a replica that lagged behind would answer.
      const renewal = args[0] as SessionRenewal;
      const { boot } = cluster.broker.sessions;
      return {
        answers: { status: 'renewed', previousBeat: renewal.beat - 3, boot },
      };
    });
    await cluster.until('a new session', () => {
      return node.runtime.session() !== old && node.runtime.session() !== null;
    });
    const startedMs = cluster.clock.monotonicMs();
    const receipt = await cluster.run(node.runtime.submit('doc', op('p', 2)));
    expect(receipt).toMatchObject({ seq: 2, epoch: 2 });
    expect(cluster.clock.monotonicMs() - startedMs).toBeLessThan(1_000);
  });
});

describe('two nodes with one node id', () => {
  test('have two sessions, the second says so, and neither harms the other', async () => {
    const cluster = await MemoryCluster.start(['twin']);
    const [first] = cluster.nodes;
    const second = cluster.make('twin');
    await cluster.run(second.runtime.start());
    expect(second.events.map(({ name }) => name)).toContain('node.namesake');
    expect(first!.runtime.session()).not.toBe(second.runtime.session());
    await cluster.run(submitMany(first!.runtime, 'one', 'p', { from: 1, to: 5 }));
    await cluster.run(submitMany(second.runtime, 'two', 'p', { from: 1, to: 5 }));
    const crossed = await cluster.run(second.runtime.submit('one', op('p', 6)));
    expect(crossed).toMatchObject({ seq: 6, hops: 1 });
    await cluster.advance(90_000);
    expect(first!.counter('sessions_lost_total') + second.counter('sessions_lost_total')).toBe(0);
    await cluster.run(second.runtime.stop());
    const after = await cluster.run(first!.runtime.submit('two', op('p', 6)));
    expect(after.seq).toBe(6);
  });
});

describe('a clean stop', () => {
  test('ends the session at once, as one that left', async () => {
    const { cluster, node } = await oneNodeWithADocument();
    const session = node.runtime.session() ?? '';
    await cluster.run(node.runtime.stop());
    expect(await cluster.engine.sessions.read(session)).toMatchObject({
      state: 'dead',
      cause: 'left',
    });
  });

  test('also after a renewal whose answer was lost', async () => {
    const { cluster, node } = await oneNodeWithADocument();
    const session = node.runtime.session() ?? '';
    node.faults.next('sessions.renew', { carriedOutThenFails: lost() });
    const before = node.faults.count('sessions.renew');
    await cluster.until('it', () => node.faults.count('sessions.renew') > before);
    await cluster.run(node.runtime.stop());
    expect((await cluster.engine.sessions.read(session))?.cause).toBe('left');
  });
});

describe('when somebody needs the session', () => {
  test('and it cannot be trusted, it is renewed then and not at the next beat', async () => {
    const { cluster, node } = await oneNodeWithADocument();
    node.clock.jumpWall(40_000);
    const startedMs = cluster.clock.monotonicMs();
    await cluster.run(node.runtime.submit('doc', op('p', 2)));
    expect(cluster.clock.monotonicMs() - startedMs).toBeLessThan(50);
  });

  test('and the broker is away, it is not asked without a pause', async () => {
    const { cluster, node } = await oneNodeWithADocument();
    node.clock.jumpWall(40_000);
    const unreachable = new BackplaneError('BACKPLANE_UNREACHABLE', 'no connection');
    node.faults.always('sessions.renew', { fails: unreachable });
    const ops = Array.from({ length: 20 }, (_, index) =>
      cluster.failure(node.runtime.submit('doc', op('p', index + 2), { timeoutMs: 1_000 })),
    );
    await Promise.all(ops);
    expect(node.faults.count('sessions.renew')).toBeLessThan(6);
  });
});

test('a renewal that pauses after a failure goes on at once when the broker is back', async () => {
  const { cluster, node } = await oneNodeWithADocument();
  const unreachable = new BackplaneError('BACKPLANE_UNREACHABLE', 'no connection');
  node.faults.next('sessions.renew', { fails: unreachable }, 3);
  await cluster.until('the last pause', () => node.faults.count('sessions.renew') === 3);
  await cluster.advance(10);
  cluster.broker.interrupt();
  await cluster.advance(1);
  expect(node.faults.count('sessions.renew')).toBeGreaterThan(3);
});
