import { MemoryLogs } from '../../drivers/memory/memory-store.ts';
import type { LogFacts, LogLevel } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import { SeededRandom } from '../seeded-random.ts';
import { Coverage } from './coverage.ts';
import type { SimProfile } from './fault-profile.ts';
import { SimBroker } from './sim-broker.ts';
import { SimCaches } from './sim-caches.ts';
import type { SimHistory } from './sim-history.ts';
import { SimNetwork } from './sim-network.ts';
import { type NodeLife, type RunningFaults, SimNode } from './sim-node.ts';
import { SimOperator } from './sim-operator.ts';
import { SimPeer } from './sim-peer.ts';
import { SimPresence } from './sim-presence.ts';
import { SimProcess } from './sim-process.ts';
import { SimRelays, simRelaySettings } from './sim-relays.ts';
import { Wire } from './sim-socket.ts';
import type { Timeline } from './timeline.ts';

export interface SimWorldParts {
  readonly profile: SimProfile;
  readonly timeline: Timeline;
  readonly history: SimHistory;
  /** Told of every line of every node's log. */
  readonly logged: (machine: string, level: LogLevel, name: string, facts: LogFacts) => void;
  readonly unexpected: (what: string) => void;
}

/** A cluster, its peers, its broker, its store and the network between them, in one process. */
export class SimWorld {
  readonly profile: SimProfile;
  readonly timeline: Timeline;
  readonly history: SimHistory;
  readonly coverage = new Coverage();
  readonly random: Random;
  readonly network: SimNetwork;
  readonly broker: SimBroker;
  readonly logs: MemoryLogs;
  readonly nodes: readonly SimNode[];
  readonly caches: SimCaches;
  readonly presence: SimPresence;
  readonly relays: SimRelays;
  readonly peers: SimPeer[] = [];
  readonly faults: RunningFaults = {
    bus: { lost: 0, doubled: 0, delayed: 0, delayMsMax: 0 },
    commands: { late: 0, lateMsMax: 0 },
    store: { refused: 0, masked: 0, vanished: 0, late: 0, lateMsMax: 0, slow: 0, slowMsMax: 0 },
  };
  readonly #parts: SimWorldParts;
  #peersMade = 0;

  constructor(parts: SimWorldParts) {
    this.#parts = parts;
    const { profile, timeline, history } = parts;
    this.profile = profile;
    this.timeline = timeline;
    this.history = history;
    this.random = new SeededRandom(profile.seed ^ 0x5eed);
    this.network = new SimNetwork(timeline, this.random, profile.network);
    const { random, coverage } = this;
    this.broker = new SimBroker({ timeline, random, history, coverage });
    this.logs = new MemoryLogs(random);
    this.caches = new SimCaches(this);
    this.presence = new SimPresence(this);
    this.relays = new SimRelays(this);
    this.nodes = Array.from({ length: profile.nodes }, (_, at) => this.#node(`n${at + 1}`));
  }

  documents(): string[] {
    return Array.from({ length: this.profile.documents }, (_, at) => `doc-${at + 1}`);
  }

  serving(): SimNode[] {
    return this.nodes.filter((node) => node.serving !== null);
  }

  pick<T>(from: readonly T[]): T | null {
    return from[Math.floor(this.random.fraction() * from.length)] ?? null;
  }

  /** A time like that on average, and how long it is until the next event of a kind. */
  soon(meanMs: number): number {
    return -Math.log(1 - this.random.fraction()) * meanMs;
  }

  /** A peer that comes to that machine first, or to any, and opens some documents. */
  addPeer(place: { readonly machine: string; readonly doc: string } | null = null): SimPeer {
    this.#peersMade += 1;
    const name = `p${this.#peersMade}`;
    const { timeline, random, history, coverage, network } = this;
    const process = new SimProcess(name, timeline, { rate: 1, wallOffsetMs: 0 });
    const peer: SimPeer = new SimPeer({
      ...{ name, process, random, history, coverage },
      machines: this.nodes.map(({ machine }) => machine),
      first: place?.machine ?? null,
      dial: (machine) => {
        const listener = () => this.#listenerOn(machine);
        const wire = new Wire({ network, machine, peer: process, listener });
        wire.dial();
        return wire.peerEnd;
      },
      unexpected: this.#parts.unexpected,
    });
    this.peers.push(peer);
    if (place) {
      peer.open(place.doc, this.logs.get(place.doc)?.head().seq ?? 0);
      return peer;
    }
    const documents = this.documents();
    const wanted = 1 + Math.floor(random.fraction() * Math.min(3, documents.length));
    const first = Math.floor(random.fraction() * documents.length);
    for (let at = 0; at < wanted; at++) {
      const doc = documents[(first + at) % documents.length] as string;
      peer.open(doc, this.logs.get(doc)?.head().seq ?? 0);
    }
    return peer;
  }

  operator(): SimOperator {
    return new SimOperator(this, (level, name, facts) => {
      this.#parts.logged('operator', level, name, facts);
    });
  }

  removePeer(peer: SimPeer): void {
    peer.close();
    this.peers.splice(this.peers.indexOf(peer), 1);
  }

  /** Looks at everything a person could look at, for the laws. */
  tellViews(): void {
    const ids = this.broker.leases().map(([doc]) => `lease:${doc}`);
    this.history.record({ ev: 'registration.view', viewer: 'directory', ids });
    this.presence.tellViews();
    const nameOf = (doc: string, id: string) => {
      for (const peer of this.peers) {
        const name = peer.subscriberAs(doc, id);
        if (name) return name;
      }
      return null;
    };
    for (const peer of this.peers) peer.tellViews(nameOf);
  }

  /** The logs and the broker as they are when all is over. */
  tellEnd(): void {
    for (const doc of this.documents()) {
      const document = this.logs.get(doc);
      if (!document) continue;
      for (const { seq, epoch, peer, counter } of document.opsAfter(0)) {
        this.history.record({ ev: 'final.op', doc, seq, epoch, opId: `${peer}:${counter}` });
      }
      this.history.record({ ev: 'final.head', doc, seq: document.head().seq });
    }
    const leases = this.broker.leases();
    for (const [doc, { session }] of leases) {
      const lease = { key: `lease:${doc}`, role: 'lease', session, ttlMs: null } as const;
      this.history.record({ ev: 'final.key', ...lease });
    }
    const registered = this.presence.tellEnd();
    this.history.record({ ev: 'final.keys', count: leases.length + registered });
    for (const node of this.nodes) node.collect();
  }

  #node(machine: string): SimNode {
    const { timeline, network, broker, logs, history, coverage, random, faults, profile } = this;
    const { driftMax, dials, selfProbeMs, fastTakeover, storeAnnounces, documentEngine } = profile;
    const isTwin = profile.twins && machine === `n${profile.nodes}`;
    const nodeId = isTwin ? 'n1' : machine;
    return new SimNode({
      ...{ machine, nodeId, timeline, network, broker, logs, history, coverage, random },
      ...{ faults, dials, selfProbeMs, fastTakeover, storeAnnounces, documentEngine },
      relay: simRelaySettings(profile, machine),
      drift: {
        rate: 1 + (random.fraction() * 2 - 1) * driftMax,
        wallOffsetMs: Math.round((random.fraction() * 2 - 1) * driftMax * 1_000_000),
      },
      prepared: (life) => {
        this.#prepared(life);
        this.caches.prepared(life);
      },
      logged: this.#parts.logged,
    });
  }

  /** What the application of a node answers: it says who serves, and that it ran. */
  #prepared({ runtime, process }: NodeLife): void {
    const { history } = this;
    runtime.handle('touch', ({ doc, payload }) => {
      const id = Buffer.from(payload).toString('utf8');
      const at = doc === null ? `${id}@${process.name}` : id;
      history.record({ ev: 'request.run', id: at });
      const session = runtime.session();
      const epoch = doc === null ? null : runtime.ownedEpoch(doc);
      if (doc !== null && session !== null && epoch !== null) {
        history.record({ ev: 'serve', doc, session, epoch, request: id });
      }
      return payload;
    });
  }

  #listenerOn(machine: string) {
    const life = this.nodes.find((node) => node.machine === machine)?.life;
    if (!life?.isOpen || life.isLeaving) return null;
    return { process: life.process, accept: (wire: Wire) => life.door.accept(wire) };
  }
}
