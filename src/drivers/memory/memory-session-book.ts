import { BackplaneError } from '../../foundation/errors.ts';
import { dials, limits, protocol } from '../../foundation/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  DeathCause,
  FenceAnswer,
  RenewalAnswer,
  SessionOpening,
  SessionRecord,
  SessionRenewal,
  SessionVitals,
} from '../../ports/sessions.ts';

interface Life {
  readonly opening: SessionOpening;
  beat: number;
  ttlMs: number;
  beatAtMs: number;
  vitals: SessionVitals;
}

interface Grave {
  /** Null for an id that was buried without ever having lived. */
  readonly life: Life | null;
  readonly cause: DeathCause;
  readonly tombstoneUntilMs: number;
}

const newVitals: SessionVitals = { documents: 0, connections: 0, draining: false, deaf: false };

/**
 * Every session of a broker. Nothing here runs by itself: whether a session has expired is judged
 * by the clock whenever somebody asks, and the answer never changes back.
 */
export class MemorySessionBook {
  readonly boot: string;
  readonly #clock: Clock;
  readonly #living = new Map<string, Life>();
  readonly #graves = new Map<string, Grave>();
  /** Dead sessions nobody has swept, and until when each is lent to a sweeper. */
  readonly #unswept = new Map<string, number>();
  /** Every id there ever was: none is opened twice, also after its tombstone is gone. */
  readonly #known = new Set<string>();
  readonly #buried: (id: string, cause: DeathCause) => void;

  constructor(
    clock: Clock,
    boot: string,
    buried: (id: string, cause: DeathCause) => void = () => {},
  ) {
    this.#clock = clock;
    this.boot = boot;
    this.#buried = buried;
  }

  copy(): MemorySessionBook {
    const copy = new MemorySessionBook(this.#clock, this.boot, this.#buried);
    for (const [id, life] of this.#living) copy.#living.set(id, { ...life });
    for (const [id, grave] of this.#graves) copy.#graves.set(id, grave);
    for (const [id, lentUntilMs] of this.#unswept) copy.#unswept.set(id, lentUntilMs);
    for (const id of this.#known) copy.#known.add(id);
    return copy;
  }

  /** Ids of those that nobody found dead yet. */
  living(): string[] {
    return [...this.#living.keys()];
  }

  lives(id: string): boolean {
    return this.#alive(id) !== null;
  }

  open(opening: SessionOpening): void {
    const { id, ttlMs } = opening;
    if (this.#known.has(id)) {
      throw new BackplaneError('SESSION_TAKEN', `the session id "${id}" was opened before`);
    }
    this.#known.add(id);
    const beatAtMs = this.#clock.monotonicMs();
    this.#living.set(id, { opening, beat: 0, ttlMs, beatAtMs, vitals: newVitals });
  }

  renew({ id, token, beat, ttlMs, vitals }: SessionRenewal): RenewalAnswer {
    const life = this.#alive(id);
    if (!life || life.opening.token !== token) return { status: 'dead' };
    // A renewal delayed in the network must not count again as a sign of life.
    if (beat <= life.beat) return { status: 'stale' };
    const previousBeat = life.beat;
    Object.assign(life, { beat, ttlMs, vitals, beatAtMs: this.#clock.monotonicMs() });
    return { status: 'renewed', previousBeat, boot: this.boot };
  }

  fence(id: string, expectedBeat: number, why: DeathCause): FenceAnswer {
    const life = this.#alive(id);
    if (life) {
      if (life.beat !== expectedBeat) return 'renewed';
      this.#bury(id, why);
      return 'fenced';
    }
    // An id nobody opened gets a grave too, so that an opening still under way fails.
    if (!this.#known.has(id)) this.#bury(id, 'expired');
    return 'dead';
  }

  read(id: string): SessionRecord | null {
    const living = this.#alive(id);
    const grave = this.#graves.get(id);
    const life = living ?? grave?.life;
    if (!life) return null;
    const nowMs = this.#clock.monotonicMs();
    return {
      id,
      state: living ? 'live' : 'dead',
      cause: living ? null : (grave?.cause ?? null),
      beat: life.beat,
      lastBeatAgoMs: nowMs - life.beatAtMs,
      expiresInMs: living ? life.beatAtMs + life.ttlMs - nowMs : 0,
      description: life.opening.description,
      vitals: life.vitals,
    };
  }

  list(): SessionRecord[] {
    this.#settle();
    const ids = [...this.#living.keys(), ...this.#graves.keys()];
    const records = ids.slice(0, limits.sessionsListedMax).map((id) => this.read(id));
    return records.filter((record) => record !== null);
  }

  takeSweep(lendMs: number): string | null {
    this.#settle();
    const nowMs = this.#clock.monotonicMs();
    for (const [id, lentUntilMs] of this.#unswept) {
      if (lentUntilMs > nowMs) continue;
      this.#unswept.set(id, nowMs + lendMs);
      return id;
    }
    return null;
  }

  finishSweep(id: string): void {
    this.#unswept.delete(id);
  }

  #alive(id: string): Life | null {
    const life = this.#living.get(id);
    if (!life) return null;
    if (this.#clock.monotonicMs() < life.beatAtMs + life.ttlMs) return life;
    this.#bury(id, 'expired');
    return null;
  }

  #bury(id: string, cause: DeathCause): void {
    const life = this.#living.get(id) ?? null;
    const ttlMs = life?.ttlMs ?? dials.leaseTtlMs;
    const diedAtMs =
      life && cause === 'expired' ? life.beatAtMs + ttlMs : this.#clock.monotonicMs();
    const tombstoneUntilMs = diedAtMs + ttlMs * protocol.tombstoneTtls;
    this.#known.add(id);
    this.#living.delete(id);
    this.#graves.set(id, { life, cause, tombstoneUntilMs });
    this.#unswept.set(id, 0);
    if (life) this.#buried(id, cause);
  }

  /** Writes down what the clock has decided since it was asked last. */
  #settle(): void {
    for (const id of [...this.#living.keys()]) this.#alive(id);
    const nowMs = this.#clock.monotonicMs();
    for (const [id, grave] of this.#graves) {
      if (grave.tombstoneUntilMs <= nowMs) this.#graves.delete(id);
    }
  }
}
