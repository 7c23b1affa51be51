import type { RequestTarget } from '../../runtime/reports.ts';
import type { NodeLife, SimNode } from './sim-node.ts';
import type { SimPeer } from './sim-peer.ts';
import type { SimWorld } from './sim-world.ts';

/** Ops that may wait for an answer before a peer stops to send more. */
const waitingMax = 40;
const requestTimeoutMs = 4_000;
/** So often a node opens a document that nobody opened before, nor will again. */
const onceShare = 0.2;

/** What peers and applications do all the time: bursts of ops, awareness, requests, coming and going. */
export class SimWorkload {
  readonly #world: SimWorld;
  #stopped = false;
  #onces = 0;

  constructor(world: SimWorld) {
    this.#world = world;
  }

  start(): void {
    const { world, peers } = { world: this.#world, peers: this.#world.profile.peers };
    for (let at = 0; at < peers; at++) this.#employ(world.addPeer());
    this.#again(world.profile.requestEveryMs, () => this.#request());
    const operator = world.operator();
    this.#again(world.profile.operatorEveryMs, () => void operator.visit());
    world.caches.start();
    world.presence.start();
    world.relays.start();
  }

  stop(): void {
    this.#stopped = true;
    this.#world.caches.stop();
    this.#world.presence.stop();
    this.#world.relays.stop();
  }

  /** Every peer writes to every document it has open. */
  writeEverywhere(): void {
    for (const peer of this.#world.peers) for (const doc of peer.documents()) peer.send(doc);
  }

  /** Something has just happened: what is written now meets it. */
  rush(): void {
    const { world, peers } = { world: this.#world, peers: this.#world.peers };
    if (this.#stopped) return;
    if (world.random.fraction() < 2 * world.profile.rushShare) {
      world.timeline.after(world.random.fraction() ** 2 * 1_000, () => this.#request());
    }
    for (const peer of peers) {
      if (world.random.fraction() >= world.profile.rushShare) continue;
      world.timeline.after(world.random.fraction() ** 2 * 1_000, () => this.#burst(peer, 2));
    }
  }

  #employ(peer: SimPeer): void {
    const { timeline, profile } = this.#world;
    const isThere = () => this.#world.peers.includes(peer);
    this.#again(profile.burstEveryMs, () => this.#burst(peer), isThere);
    const show = () => {
      const doc = this.#world.pick(peer.documents());
      if (doc) peer.setAwareness(doc);
    };
    if (profile.awarenessEveryMs !== null) this.#again(profile.awarenessEveryMs, show, isThere);
    timeline.after(this.#world.soon(profile.peerLifeMs), () => {
      if (this.#stopped) return;
      this.#world.removePeer(peer);
      this.#employ(this.#world.addPeer());
    });
  }

  #burst(peer: SimPeer, opsMax = this.#world.profile.burstOpsMax): void {
    const doc = this.#world.pick(peer.documents());
    if (!doc) return;
    const ops = 1 + Math.floor(this.#world.random.fraction() ** 2 * opsMax);
    for (let op = 0; op < ops && peer.waiting < waitingMax; op++) peer.send(doc);
  }

  #request(): void {
    const { network, random } = this.#world;
    const askers = this.#world.serving();
    if (random.fraction() < onceShare) return this.#openOnce();
    const doc = this.#world.pick(this.#world.documents());
    const nodeId = this.#world.pick(this.#world.nodes)?.machine ?? '';
    const drawn = random.fraction();
    if (doc) {
      const target: RequestTarget =
        drawn < 0.7
          ? { kind: 'doc', doc }
          : drawn < 0.85
            ? { kind: 'node', nodeId }
            : { kind: 'all' };
      this.#ask(this.#world.pick(askers), target);
    }
    // Only its own application reaches a node that nobody else does: whether it still answers shows here.
    for (const node of askers.filter(({ machine }) => network.isCut(machine, 'broker'))) {
      const { runtime } = node.serving as NodeLife;
      const owned = this.#world.documents().filter((name) => runtime.ownedEpoch(name) !== null);
      for (const name of owned) this.#ask(node, { kind: 'doc', doc: name });
    }
  }

  /** What is left behind of such a document no later request comes upon, and mends. */
  #openOnce(): void {
    this.#onces += 1;
    const life = this.#world.pick(this.#world.serving())?.serving;
    life?.runtime.acquire(`once-${this.#onces}`).catch(() => {});
  }

  #ask(node: SimNode | null, target: RequestTarget): void {
    const life = node?.serving;
    if (!life) return;
    life.diary
      .follow(requestTimeoutMs, (id) =>
        life.runtime.request(target, 'touch', Buffer.from(id), { timeoutMs: requestTimeoutMs }),
      )
      .catch(() => {});
  }

  /** Again and again, at times like that on average. */
  #again(meanMs: number, act: () => void, goesOn: () => boolean = () => true): void {
    this.#world.timeline.after(this.#world.soon(meanMs), () => {
      if (this.#stopped || !goesOn()) return;
      act();
      this.#again(meanMs, act, goesOn);
    });
  }
}
