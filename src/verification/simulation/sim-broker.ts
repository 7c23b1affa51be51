import { MemoryBroker, type MemoryReplica } from '../../drivers/memory/memory-broker.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { LeaseRecord } from '../../ports/leases.ts';
import type { Random } from '../../ports/random.ts';
import type { DeathCause, FenceAnswer } from '../../ports/sessions.ts';
import type { Coverage } from './coverage.ts';
import type { SimHistory } from './sim-history.ts';
import type { Timeline } from './timeline.ts';

/** A connection that the broker can break. */
export interface BrokerConnection {
  /** The broker is gone, or closed it; it may come back later. */
  broken(): void;
}

/** The broker's own clock: a key expires by it, and it can be set. */
class BrokerClock implements Clock {
  readonly #timeline: Timeline;
  jumpedMs = 0;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  monotonicMs(): number {
    return this.#timeline.nowMs + this.jumpedMs;
  }

  wallMs(): number {
    return this.monotonicMs();
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#timeline.after(delayMs, run);
  }
}

/**
 * The one broker of the world: the memory driver's, which can end and come back with its data,
 * without them, or with those of a replica that was behind. Tells the history what it decides.
 */
export class SimBroker {
  readonly memory: MemoryBroker;
  readonly #clock: BrokerClock;
  readonly #history: SimHistory;
  readonly #coverage: Coverage;
  readonly #connections = new Set<BrokerConnection>();
  /** Sessions told of as alive. */
  readonly #alive = new Map<string, string>();
  readonly #machineOf = new Map<string, string>();
  readonly #lastOwner = new Map<string, string>();
  readonly #causes = new Map<string, DeathCause>();
  /** Of the session that is being fenced: what whoever fences it has seen. */
  #seenBeat: number | null = null;
  isUp = true;

  constructor(parts: {
    readonly timeline: Timeline;
    readonly random: Random;
    readonly history: SimHistory;
    readonly coverage: Coverage;
  }) {
    this.#clock = new BrokerClock(parts.timeline);
    this.#history = parts.history;
    this.#coverage = parts.coverage;
    this.memory = new MemoryBroker(this.#clock, parts.random);
    this.memory.buried = (session, cause) => this.#buried(session, cause);
  }

  connect(connection: BrokerConnection): void {
    this.#connections.add(connection);
  }

  disconnect(connection: BrokerConnection): void {
    this.#connections.delete(connection);
  }

  /** Ends, with every connection. */
  goDown(): void {
    this.isUp = false;
    this.memory.channels.clear();
    for (const connection of [...this.#connections]) connection.broken();
  }

  comeUp(data: 'kept' | 'wiped' | MemoryReplica): void {
    const before = new Map(this.memory.directory.entries());
    if (data === 'wiped') this.memory.wipe();
    else if (data !== 'kept') this.memory.failOver(data);
    this.isUp = true;
    if (data !== 'kept') this.#history.record({ ev: 'cache.forgotten' });
    if (data !== 'kept') this.#tellChanges(before);
  }

  replica(): MemoryReplica {
    return this.memory.replica();
  }

  jumpClock(byMs: number): void {
    this.#clock.jumpedMs += byMs;
  }

  opened(session: string, machine: string): void {
    this.#alive.set(session, machine);
    this.#machineOf.set(session, machine);
    this.#history.record({ ev: 'session.open', session, nodeId: machine });
  }

  renewed(session: string, beat: number): void {
    this.#history.record({ ev: 'session.beat', session, beat });
  }

  fence(session: string, seenBeat: number, why: DeathCause): FenceAnswer {
    this.#seenBeat = seenBeat;
    try {
      return this.memory.sessions.fence(session, seenBeat, why);
    } finally {
      this.#seenBeat = null;
    }
  }

  claimed(doc: string, session: string, before: LeaseRecord | null): void {
    this.registered(doc, session, before?.session ?? null);
    const owner = before?.session ?? this.#lastOwner.get(doc);
    const cause = owner === undefined || owner === session ? null : this.#causes.get(owner);
    if (cause === 'fenced') this.#coverage.add('takeoversFast');
    else if (cause === 'expired') this.#coverage.add('takeoversByExpiry');
  }

  granted(doc: string, session: string, epoch: number, before: LeaseRecord | null): void {
    this.#history.record({ ev: 'lease.grant', doc, session, epoch });
    this.#lastOwner.set(doc, session);
    this.registered(doc, session, before?.session ?? null);
    this.#coverage.add('leasesGranted');
  }

  released(doc: string, session: string, epoch: number): void {
    this.#history.record({ ev: 'lease.release', doc, session, epoch });
    const handed = this.memory.directory.get(doc);
    if (handed === null) return this.unregistered(doc);
    this.#coverage.add('handOvers');
    this.registered(doc, handed.session);
  }

  /** `takenFrom`: whose it was, if nobody gave it to this one. */
  registered(doc: string, session: string, takenFrom: string | null = null): void {
    const id = leaseId(doc);
    this.#history.record({ ev: 'registration.add', id, session, takenFrom });
  }

  unregistered(doc: string): void {
    this.#history.record({ ev: 'registration.remove', id: leaseId(doc) });
  }

  /** What anybody who looked would see. */
  leases(): [string, LeaseRecord][] {
    return [...this.memory.directory.entries()];
  }

  #buried(session: string, cause: DeathCause): void {
    this.#causes.set(session, cause);
    if (!this.#alive.delete(session)) return;
    if (cause === 'fenced') this.#coverage.add('sessionsFenced');
    if (cause === 'expired') this.#coverage.add('sessionsExpired');
    const seenBeat = cause === 'expired' ? null : this.#seenBeat;
    this.#history.record({ ev: 'session.gone', session, seenBeat });
  }

  /** After its data were replaced: what is gone, and what is there again. */
  #tellChanges(before: ReadonlyMap<string, LeaseRecord>): void {
    const living = new Set(this.memory.sessions.living());
    for (const session of [...this.#alive.keys()]) {
      if (living.has(session)) continue;
      this.#alive.delete(session);
      this.#history.record({ ev: 'session.gone', session });
    }
    // A replica that was behind has not heard of every death.
    for (const session of living) {
      const machine = this.#machineOf.get(session);
      if (machine !== undefined && !this.#alive.has(session)) this.opened(session, machine);
    }
    for (const session of living) {
      const beat = this.memory.sessions.read(session)?.beat;
      if (beat !== undefined) this.renewed(session, beat);
    }
    const after = new Map(this.memory.directory.entries());
    for (const doc of before.keys()) if (!after.has(doc)) this.unregistered(doc);
    for (const [doc, { session }] of after) {
      if (before.get(doc)?.session !== session) this.registered(doc, session);
    }
  }
}

export function leaseId(doc: string): string {
  return `lease:${doc}`;
}
