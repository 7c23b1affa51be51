import type { FaultName } from './fault-profile.ts';
import type { SimNode } from './sim-node.ts';
import type { SimWorld } from './sim-world.ts';

/** One fault as it was injected. */
export interface InjectedFault {
  /** Whom it struck. */
  readonly target: string;
  readonly lastsMs: number;
  readonly recoveryFrom: 'start' | 'end';
  end(): void;
}

type Injector = (world: SimWorld) => InjectedFault | null;

/** Between the two, most of them short: one in ten is near the longest. */
function lasting(world: SimWorld, leastMs: number, mostMs: number): number {
  return leastMs * (mostMs / leastMs) ** world.random.fraction();
}

function somebody(world: SimWorld): SimNode | null {
  // Somebody is left to go on, most of the time.
  const serving = world.serving();
  return serving.length > 1 || world.random.fraction() < 0.1 ? world.pick(serving) : null;
}

function crash(world: SimWorld, silently: boolean): InjectedFault | null {
  const node = somebody(world);
  return node && crashOf(world, node, silently);
}

export function crashOf(world: SimWorld, node: SimNode, silently = false): InjectedFault {
  node.kill(silently, lasting(world, 1_000, 40_000));
  world.coverage.add('crashes');
  const lastsMs = lasting(world, 50, 40_000);
  return { target: node.machine, lastsMs, recoveryFrom: 'start', end: () => node.start() };
}

function pause(world: SimWorld, how: 'stopped' | 'slept'): InjectedFault | null {
  const node = somebody(world);
  const life = node?.serving;
  if (!node || !life) return null;
  const lastsMs = lasting(world, 50, 80_000);
  if (how === 'slept' && isRecent(world, life.process.lastJumpedMs)) return null;
  life.process.pause();
  world.coverage.add(how === 'slept' ? 'suspends' : 'pauses');
  if (lastsMs > world.profile.dials.leaseTtlMs) world.coverage.add('pausesBeyondLease');
  const end = () => life.process.resume(how);
  return { target: node.machine, lastsMs, recoveryFrom: 'start', end };
}

/**
 * A machine that sleeps while somebody sets its wall clock back has no clock that tells how long it
 * was away: until its next beat nothing keeps it from answering with what it remembers.
 */
function isRecent({ timeline, profile }: SimWorld, atMs: number): boolean {
  return timeline.nowMs - atMs < profile.dials.leaseTtlMs;
}

function cleanRestart(world: SimWorld): InjectedFault | null {
  const node = somebody(world);
  if (!node) return null;
  world.coverage.add('cleanRestarts');
  let wanted = false;
  let isGone = false;
  const startIfWanted = () => {
    if (wanted && isGone) node.start();
  };
  node.leave().then(() => {
    isGone = true;
    startIfWanted();
  });
  const end = () => {
    wanted = true;
    startIfWanted();
  };
  return { target: node.machine, lastsMs: lasting(world, 300, 8_000), recoveryFrom: 'start', end };
}

function wallJump(world: SimWorld): InjectedFault | null {
  const node = somebody(world);
  if (!node?.life) return null;
  if (isRecent(world, node.life.process.lastWokenMs)) return null;
  const byMs = lasting(world, 100, 90_000) * (world.random.fraction() < 0.5 ? -1 : 1);
  node.life.process.jumpWall(byMs);
  world.coverage.add('wallJumps');
  return { target: node.machine, lastsMs: 0, recoveryFrom: 'end', end() {} };
}

/** Between a node and the broker or the store: both ways, or one. */
function cut(world: SimWorld, place: 'broker' | 'store'): InjectedFault | null {
  const node = somebody(world);
  const life = node?.serving;
  if (!node || !life) return null;
  const { network, timeline, random, coverage } = world;
  const ways = random.fraction() < 0.6 ? 'both' : random.fraction() < 0.5 ? 'to' : 'from';
  const mends = [
    ...(ways === 'from' ? [] : [network.cut(node.machine, place)]),
    ...(ways === 'to' ? [] : [network.cut(place, node.machine)]),
  ];
  coverage.add(
    place === 'store' ? 'storeCuts' : ways === 'both' ? 'partitions' : 'partitionsOneWay',
  );
  // Now and then for so long that whoever is cut off has to stop by its own clock.
  const isLong = random.fraction() < 0.25;
  const lastsMs = isLong ? lasting(world, 45_000, 80_000) : lasting(world, 100, 70_000);
  const halfOpen = timeline.after(lasting(world, 1_000, 60_000), () => {
    if (place === 'broker') life.engine.bus.detach();
  });
  const startedMs = timeline.nowMs;
  const end = () => {
    halfOpen.cancel();
    const wasLong = timeline.nowMs - startedMs > 3_000;
    // Long silence has made the driver give its connection up; a short one has lost nothing.
    for (const mend of mends) mend(!wasLong || random.fraction() < 0.5);
    if (place === 'broker' && wasLong && !life.process.isOver) life.engine.bus.cutOff();
  };
  return { target: node.machine, lastsMs, recoveryFrom: 'end', end };
}

function cutPeer(world: SimWorld): InjectedFault | null {
  const peer = world.pick(world.peers);
  if (!peer?.nodeId) return null;
  const mends = [
    world.network.cut(peer.name, peer.nodeId),
    world.network.cut(peer.nodeId, peer.name),
  ];
  world.coverage.add('peerCuts');
  const end = () => {
    const delivers = world.random.fraction() < 0.5;
    for (const mend of mends) mend(delivers);
  };
  return { target: peer.name, lastsMs: lasting(world, 100, 60_000), recoveryFrom: 'end', end };
}

function brokerFails(world: SimWorld, how: 'restart' | 'wipe'): InjectedFault | null {
  const { broker, coverage } = world;
  if (!broker.isUp) return null;
  broker.goDown();
  coverage.add(how === 'wipe' ? 'brokerWipes' : 'brokerRestarts');
  const end = () => broker.comeUp(how === 'wipe' ? 'wiped' : 'kept');
  return { target: 'broker', lastsMs: lasting(world, 20, 20_000), recoveryFrom: 'end', end };
}

/** A replica falls behind, and some time later it takes the place of the broker. */
function brokerRewinds(world: SimWorld): InjectedFault | null {
  const { broker, coverage, timeline } = world;
  if (!broker.isUp) return null;
  const replica = broker.replica();
  const behindMs = lasting(world, 10, 20_000);
  const fails = timeline.after(behindMs, () => broker.goDown());
  const end = () => {
    fails.cancel();
    broker.goDown();
    coverage.add('brokerRewinds');
    broker.comeUp(replica);
  };
  const lastsMs = behindMs + lasting(world, 20, 5_000);
  return { target: 'broker', lastsMs, recoveryFrom: 'end', end };
}

function brokerClock(world: SimWorld): InjectedFault {
  const byMs = lasting(world, 100, 45_000) * (world.random.fraction() < 0.5 ? -1 : 1);
  world.broker.jumpClock(byMs);
  world.coverage.add('brokerClockJumps');
  return { target: 'broker', lastsMs: 0, recoveryFrom: 'end', end() {} };
}

function subscriber(world: SimWorld, how: 'cut' | 'deaf'): InjectedFault | null {
  const node = world.pick(world.serving());
  const bus = node?.serving?.engine.bus;
  if (!node || !bus) return null;
  world.coverage.add(how === 'cut' ? 'subscribersCut' : 'subscribersDeaf');
  if (how === 'cut') bus.cutOff();
  else bus.isDeaf = true;
  // A wedged connection mends itself: whoever uses it has to notice, and to make another one.
  return { target: node.machine, lastsMs: 0, recoveryFrom: 'end', end() {} };
}

/** Sets shares for a while; two such faults at a time would end each other. */
function noise<Faults extends object>(
  world: SimWorld,
  target: string,
  faults: Faults,
  drawn: Partial<Faults>,
): InjectedFault | null {
  const names = Object.keys(drawn) as (keyof Faults)[];
  if (names.some((name) => faults[name] !== 0)) return null;
  Object.assign(faults, drawn);
  const end = () => {
    for (const name of names) Object.assign(faults, { [name]: 0 });
  };
  return { target, lastsMs: lasting(world, 2_000, 60_000), recoveryFrom: 'end', end };
}

function busNoise(world: SimWorld): InjectedFault | null {
  const share = () => (world.random.fraction() < 0.6 ? world.random.fraction() ** 2 * 0.5 : 0);
  const drawn = { lost: share(), doubled: share(), delayed: share(), delayMsMax: 0 };
  drawn.delayMsMax = lasting(world, 10, 8_000);
  return noise(world, 'bus', world.faults.bus, drawn);
}

function storeErrors(world: SimWorld): InjectedFault | null {
  const share = () => (world.random.fraction() < 0.6 ? world.random.fraction() * 0.25 : 0);
  const drawn = { refused: share(), masked: share(), vanished: share(), late: share() };
  return noise(world, 'store', world.faults.store, {
    ...drawn,
    lateMsMax: lasting(world, 10, 20_000),
  });
}

/** What each fault does. */
export const injectors: Readonly<Record<FaultName, Injector>> = {
  crash: (world) => crash(world, false),
  'machine-crash': (world) => crash(world, true),
  pause: (world) => pause(world, 'stopped'),
  suspend: (world) => pause(world, 'slept'),
  'clean-restart': cleanRestart,
  'wall-jump': wallJump,
  'cut-broker': (world) => cut(world, 'broker'),
  'cut-store': (world) => cut(world, 'store'),
  'cut-peer': cutPeer,
  'broker-restart': (world) => brokerFails(world, 'restart'),
  'broker-wipe': (world) => brokerFails(world, 'wipe'),
  'broker-rewind': brokerRewinds,
  'broker-clock': brokerClock,
  'subscriber-cut': (world) => subscriber(world, 'cut'),
  'subscriber-deaf': (world) => subscriber(world, 'deaf'),
  'bus-noise': busNoise,
  'late-commands': (world) =>
    noise(world, 'broker', world.faults.commands, {
      late: world.random.fraction() * 0.2,
      lateMsMax: lasting(world, 100, 25_000),
    }),
  'store-errors': storeErrors,
  'store-slow': (world) =>
    noise(world, 'store', world.faults.store, {
      slow: world.random.fraction() * 0.5,
      slowMsMax: lasting(world, 50, 8_000),
    }),
};
