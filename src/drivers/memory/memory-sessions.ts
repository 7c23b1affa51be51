import { BackplaneError } from '../../foundation/errors.ts';
import { protocol } from '../../foundation/limits.ts';
import type {
  DeathCause,
  FenceAnswer,
  RenewalAnswer,
  SessionOpening,
  SessionRecord,
  SessionRenewal,
  Sessions,
} from '../../ports/sessions.ts';
import type { KeptSession, MemoryBroker } from './memory-broker.ts';

/** Sessions as records of the broker; whoever asks first after a TTL has passed buries the dead. */
export class MemorySessions implements Sessions {
  readonly #broker: MemoryBroker;

  constructor(broker: MemoryBroker) {
    this.#broker = broker;
  }

  async open(opening: SessionOpening): Promise<{ readonly boot: string }> {
    const { id, token, ttlMs, description } = opening;
    if (this.#find(id)) {
      throw new BackplaneError('SESSION_TAKEN', `the session ${id} was opened before`);
    }
    const nowMs = this.#now();
    this.#broker.sessions.set(id, {
      token,
      description,
      vitals: { documents: 0, connections: 0, draining: false, deaf: false },
      beat: 0,
      lastBeatMs: nowMs,
      expiresMs: nowMs + ttlMs,
      ttlMs,
      death: null,
      swept: false,
      lentUntilMs: 0,
    });
    return { boot: this.#broker.boot };
  }

  async renew(renewal: SessionRenewal): Promise<RenewalAnswer> {
    const session = this.#find(renewal.id);
    if (!session || session.death || session.token !== renewal.token) return { status: 'dead' };
    if (renewal.beat < session.beat) return { status: 'stale' };
    const previousBeat = session.beat;
    session.beat = renewal.beat;
    session.vitals = renewal.vitals;
    session.lastBeatMs = this.#now();
    session.ttlMs = renewal.ttlMs;
    session.expiresMs = session.lastBeatMs + renewal.ttlMs;
    return { status: 'renewed', previousBeat, boot: this.#broker.boot };
  }

  async fence(id: string, expectedBeat: number, why: DeathCause): Promise<FenceAnswer> {
    const session = this.#find(id);
    if (!session || session.death) return 'dead';
    if (session.beat !== expectedBeat) return 'renewed';
    session.death = { atMs: this.#now(), cause: why };
    return 'fenced';
  }

  async read(id: string): Promise<SessionRecord | null> {
    const session = this.#find(id);
    return session ? this.#record(id, session) : null;
  }

  async list(): Promise<SessionRecord[]> {
    const records: SessionRecord[] = [];
    for (const id of [...this.#broker.sessions.keys()]) {
      const session = this.#find(id);
      if (session) records.push(this.#record(id, session));
    }
    return records;
  }

  async takeSweep(lendMs: number): Promise<string | null> {
    const nowMs = this.#now();
    for (const id of [...this.#broker.sessions.keys()]) {
      const session = this.#find(id);
      if (!session?.death || session.swept || session.lentUntilMs > nowMs) continue;
      session.lentUntilMs = nowMs + lendMs;
      return id;
    }
    return null;
  }

  async finishSweep(id: string): Promise<void> {
    const session = this.#find(id);
    if (session?.death) session.swept = true;
  }

  /** The session as of now: expired ones are dead, long-buried and swept ones are forgotten. */
  #find(id: string): KeptSession | null {
    const session = this.#broker.sessions.get(id);
    if (!session) return null;
    const nowMs = this.#now();
    if (!session.death && nowMs >= session.expiresMs) {
      session.death = { atMs: session.expiresMs, cause: 'expired' };
    }
    const goneMs = (session.death?.atMs ?? nowMs) + protocol.tombstoneTtls * session.ttlMs;
    if (!session.death || !session.swept || nowMs < goneMs) return session;
    this.#broker.sessions.delete(id);
    return null;
  }

  #record(id: string, session: KeptSession): SessionRecord {
    const { death, beat, lastBeatMs, expiresMs, description, vitals } = session;
    const nowMs = this.#now();
    return {
      id,
      state: death ? 'dead' : 'live',
      cause: death?.cause ?? null,
      beat,
      lastBeatAgoMs: Math.max(0, nowMs - lastBeatMs),
      expiresInMs: death ? 0 : expiresMs - nowMs,
      description,
      vitals,
    };
  }

  /** Server time is the wall clock, so a wall clock that jumps is felt here as it is in Redis. */
  #now(): number {
    return this.#broker.clock.wallMs();
  }
}
