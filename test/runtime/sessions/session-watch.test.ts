import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryBroker } from '../../../src/drivers/memory/memory-broker.ts';
import { openMemoryEngine } from '../../../src/drivers/memory/memory-engine.ts';
import { BackplaneError } from '../../../src/foundation/errors.ts';
import type { Engine } from '../../../src/ports/engine.ts';
import { silentLogger } from '../../../src/ports/logger.ts';
import { inboxChannel } from '../../../src/runtime/channels.ts';
import { Counters } from '../../../src/runtime/counters.ts';
import { SessionWatch } from '../../../src/runtime/sessions/session-watch.ts';
import { SeededRandom } from '../../../src/verification/seeded-random.ts';
import { someDescription, someVitals } from '../../conformance/engine-fixture.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { PortFaults } from '../../support/port-faults.ts';
import { op } from '../../support/some-ops.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const graceMs = 150;

let clock: VirtualClock;
let engine: Engine;
let faults: PortFaults;
let counters: Counters;
let watch: SessionWatch;
let deaths: string[];

beforeEach(async () => {
  clock = new VirtualClock();
  engine = openMemoryEngine(new MemoryBroker(clock, new SeededRandom(1)));
  faults = new PortFaults();
  counters = new Counters();
  watch = watching(true);
  await engine.bus.subscribe(inboxChannel('own'), () => {});
  await engine.sessions.open({ id: 's', token: 't', ttlMs: 30_000, description: someDescription });
});

function watching(fastTakeover: boolean): SessionWatch {
  const made = new SessionWatch({
    sessions: faults.wrap('sessions', engine.sessions),
    bus: faults.wrap('bus', engine.bus),
    clock,
    logger: silentLogger,
    counters,
    takeoverGraceMs: graceMs,
    fastTakeover,
    inbox: () => 'own',
  });
  deaths = [];
  made.onDeath((session) => deaths.push(session));
  return made;
}

function verdict(session = 's') {
  const seen: { dead: boolean | null } = { dead: null };
  void watch.suspect(session).then((dead) => {
    seen.dead = dead;
  });
  return seen;
}

const renew = (beat: number) =>
  engine.sessions.renew({ id: 's', token: 't', beat, ttlMs: 30_000, vitals: someVitals });
const stateOf = async () => (await engine.sessions.read('s'))?.state;

describe('a suspected session whose inbox is empty and whose beat stands still', () => {
  test('is fenced, but not before the grace period is over', async () => {
    const seen = verdict();
    await clock.advance(graceMs - 1);
    expect([seen.dead, await stateOf()]).toEqual([null, 'live']);
    await clock.advance(1);
    expect([seen.dead, await stateOf()]).toEqual([true, 'dead']);
    expect(deaths).toEqual(['s']);
    expect(counters.read().sessions_fenced_total).toBe(1);
  });

  test('is fenced once, however many suspect it at the same time', async () => {
    const all = [verdict(), verdict(), verdict()];
    await clock.advance(graceMs);
    expect(all.map(({ dead }) => dead)).toEqual([true, true, true]);
    expect(faults.count('sessions.fence')).toBe(1);
    expect(deaths).toEqual(['s']);
  });

  test('is left to its TTL when fast takeover is off', async () => {
    watch = watching(false);
    const seen = verdict();
    await clock.advance(graceMs);
    expect([seen.dead, await stateOf()]).toEqual([false, 'live']);
    await clock.advance(30_000);
    expect(await watch.isDead('s')).toBe(true);
  });
});

describe('a suspected session is left alone', () => {
  test('when its beat went on during the grace period, though its inbox is empty', async () => {
    const seen = verdict();
    await clock.advance(graceMs / 2);
    await renew(1);
    await clock.advance(graceMs);
    expect([seen.dead, await stateOf()]).toEqual([false, 'live']);
    expect(deaths).toEqual([]);
  });

  test('when its inbox came back during the grace period, though its beat stood still', async () => {
    const seen = verdict();
    await clock.advance(graceMs / 2);
    await engine.bus.subscribe(inboxChannel('s'), () => {});
    await clock.advance(graceMs);
    expect([seen.dead, await stateOf()]).toEqual([false, 'live']);
  });

  test('when our own connection was away before', async () => {
    watch.distrustSilence(3_000);
    const seen = verdict();
    await clock.advance(graceMs);
    expect([seen.dead, await stateOf()]).toEqual([false, 'live']);
    await clock.advance(3_000);
    verdict();
    await clock.advance(graceMs);
    expect(await stateOf()).toBe('dead');
  });

  test('when our own connection was away just before, though that is over within the grace', async () => {
    watch.distrustSilence(graceMs / 2);
    const seen = verdict();
    await clock.advance(graceMs);
    expect([seen.dead, await stateOf()]).toEqual([false, 'live']);
  });

  test('when our own connection went away during the grace period', async () => {
    const seen = verdict();
    await clock.advance(graceMs / 2);
    watch.distrustSilence(3_000);
    await clock.advance(graceMs);
    expect([seen.dead, await stateOf()]).toEqual([false, 'live']);
  });

  test('when its inbox cannot be counted', async () => {
    faults.next('bus.receivers', { fails: new BackplaneError('BACKPLANE_LOST', 'cut') });
    const seen = verdict();
    await clock.advance(graceMs);
    expect([seen.dead, await stateOf()]).toEqual([false, 'live']);
  });

  test('and can be suspected again later', async () => {
    await renew(1);
    const first = verdict();
    await clock.advance(graceMs / 2);
    await renew(2);
    await clock.advance(graceMs);
    const second = verdict();
    await clock.advance(graceMs);
    expect([first.dead, second.dead]).toEqual([false, true]);
  });
});

describe('death', () => {
  test('is told once and remembered without asking again', async () => {
    await engine.sessions.fence('s', 0, 'left');
    expect(await watch.isDead('s')).toBe(true);
    expect(await watch.isDead('s')).toBe(true);
    watch.confirmDead('s');
    expect(deaths).toEqual(['s']);
    expect(faults.count('sessions.read')).toBe(1);
  });

  test('looking for it fences nobody', async () => {
    expect(await watch.isDead('s')).toBe(false);
    await clock.advance(1_000);
    expect(await stateOf()).toBe('live');
  });

  test('of thousands of sessions does not fill the memory, and the oldest is asked for again', async () => {
    for (let index = 0; index < 4_097; index++) watch.confirmDead(`gone-${index}`);
    expect(watch.isKnownDead('gone-0')).toBe(false);
    expect(watch.isKnownDead('gone-1')).toBe(true);
    expect(await watch.isDead('gone-0')).toBe(true);
  });
});

describe('in a cluster', () => {
  test('a broker that cut everybody costs nobody the session, though all inboxes were gone', async () => {
    const cluster = await MemoryCluster.start(['a', 'b', 'c']);
    await cluster.run(cluster.node('a').runtime.submit('doc', op('p', 1)));
    const sessions = cluster.nodes.map(({ runtime }) => runtime.session());
    // Only the inbox of `a` is not there yet when `b` looks for it.
    const inbox = inboxChannel(sessions[0] ?? '');
    const receivers = cluster.broker.channels.get(inbox);
    cluster.broker.channels.delete(inbox);
    cluster.broker.interrupt();
    const receipt = cluster.node('b').runtime.submit('doc', op('p', 2));
    await cluster.advance(1_000);
    if (receivers) cluster.broker.channels.set(inbox, receivers);
    expect(await cluster.run(receipt)).toMatchObject({ seq: 2, nodeId: 'a' });
    expect(cluster.nodes.map(({ runtime }) => runtime.session())).toEqual(sessions);
  });

  test('a visitor whose own connection was cut fences nobody either', async () => {
    const cluster = await MemoryCluster.start(['a']);
    await cluster.run(cluster.node('a').runtime.submit('doc', op('p', 1)));
    const visitor = await cluster.visitor();
    const session = cluster.node('a').runtime.session() ?? '';
    const inbox = inboxChannel(session);
    const receivers = cluster.broker.channels.get(inbox);
    cluster.broker.channels.delete(inbox);
    cluster.broker.interrupt();
    const receipt = visitor.submit('doc', op('p', 2));
    await cluster.advance(1_000);
    if (receivers) cluster.broker.channels.set(inbox, receivers);
    expect(await cluster.run(receipt)).toMatchObject({ seq: 2, nodeId: 'a' });
    expect(cluster.node('a').counter('sessions_lost_total')).toBe(0);
  });

  test('a paused owner is not taken for dead while its connections stand', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    await cluster.run(cluster.node('a').runtime.submit('doc', op('p', 1)));
    const session = cluster.node('a').runtime.session();
    cluster.node('a').pause();
    const receipt = cluster.node('b').runtime.submit('doc', op('p', 2));
    await cluster.advance(10_000);
    cluster.node('a').resume();
    expect(await cluster.run(receipt)).toMatchObject({ seq: 2, nodeId: 'a' });
    expect(cluster.node('a').runtime.session()).toBe(session);
  });
});

test('nobody is given up while the broker does not know yet who listens for ourselves', async () => {
  faults.rule(({ port, method, args }) => {
    const isOwn = port === 'bus' && method === 'receivers' && args[0] === inboxChannel('own');
    return isOwn ? { answers: 0 } : undefined;
  });
  const seen = verdict();
  await clock.advance(graceMs + 10);
  expect([seen.dead, await stateOf()]).toEqual([false, 'live']);
});
