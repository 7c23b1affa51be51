import { asBackplaneError } from '../../foundation/errors.ts';
import type { Bus } from '../../ports/bus.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Sessions } from '../../ports/sessions.ts';
import { inboxChannel } from '../channels.ts';
import type { Counters } from '../counters.ts';

export interface SessionWatchParts {
  readonly sessions: Sessions;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly takeoverGraceMs: number;
  readonly fastTakeover: boolean;
  /** Where we listen ourselves; null while we do not. */
  inbox(): string | null;
}

const deadKnownMax = 4_096;
/** After our own connection was away, everybody's inboxes and beats may look dead for this long. */
export const distrustMs = 3_000;

/**
 * Judges whether other sessions are alive. Death is stable, so it is remembered; life is asked
 * for every time.
 *
 * `suspect` is the fast takeover: on evidence that a session's process is gone, it is fenced after
 * a grace period, unless its beat or its inbox came back. The evidence need not be right: the
 * store refuses the writes of whoever was fenced, so a wrong suspicion costs that node a new
 * session and nothing else.
 */
export class SessionWatch {
  readonly #parts: SessionWatchParts;
  readonly #dead = new Set<string>();
  readonly #suspected = new Map<string, Promise<boolean>>();
  readonly #listeners = new Set<(session: string) => void>();
  #calmFromMs = Number.NEGATIVE_INFINITY;

  constructor(parts: SessionWatchParts) {
    this.#parts = parts;
  }

  /** Told once for each session found dead, whoever killed it. */
  onDeath(listen: (session: string) => void): void {
    this.#listeners.add(listen);
  }

  /**
   * Our own connection was away. Everybody else's was probably too, so their empty inboxes and old
   * beats prove nothing for a while.
   */
  distrustSilence(forMs: number): void {
    this.#calmFromMs = Math.max(this.#calmFromMs, this.#parts.clock.monotonicMs() + forMs);
  }

  isCalm(): boolean {
    return this.#parts.clock.monotonicMs() >= this.#calmFromMs;
  }

  /**
   * Whether silence proves anything. While the broker knows nobody who listens for us, it came back
   * a moment ago and the others are not there yet either.
   */
  async canJudge(): Promise<boolean> {
    const inbox = this.#parts.inbox();
    if (!this.isCalm() || inbox === null) return false;
    try {
      if ((await this.#parts.bus.receivers(inboxChannel(inbox))) === 0) return false;
    } catch {
      this.distrustSilence(distrustMs);
    }
    return this.isCalm();
  }

  isKnownDead(session: string): boolean {
    return this.#dead.has(session);
  }

  /** Looks only: nobody is fenced. */
  async isDead(session: string): Promise<boolean> {
    if (this.#dead.has(session)) return true;
    const record = await this.#parts.sessions.read(session);
    if (record?.state === 'live') return false;
    this.confirmDead(session);
    return true;
  }

  /** True when the session is dead in the end, by whatever hand. */
  suspect(session: string): Promise<boolean> {
    if (this.#dead.has(session)) return Promise.resolve(true);
    let running = this.#suspected.get(session);
    if (!running) {
      running = this.#judge(session).finally(() => this.#suspected.delete(session));
      this.#suspected.set(session, running);
    }
    return running;
  }

  confirmDead(session: string): void {
    if (this.#dead.has(session)) return;
    this.#dead.add(session);
    if (this.#dead.size > deadKnownMax) {
      const [oldest] = this.#dead;
      if (oldest !== undefined) this.#dead.delete(oldest);
    }
    for (const listen of this.#listeners) listen(session);
  }

  async #judge(session: string): Promise<boolean> {
    const { sessions, clock, logger, counters } = this.#parts;
    const record = await sessions.read(session);
    if (record?.state !== 'live') {
      this.confirmDead(session);
      return true;
    }
    if (!this.#parts.fastTakeover || !this.isCalm()) return false;
    await sleep(clock, this.#parts.takeoverGraceMs);
    if (!(await this.#isAbsent(session))) return false;
    const answer = await sessions.fence(session, record.beat, 'fenced');
    if (answer === 'renewed') return false;
    if (answer === 'fenced') {
      counters.add('sessions_fenced_total');
      logger.event('warn', 'session.fenced', {
        session,
        nodeId: record.description.nodeId,
        lastBeatAgoMs: record.lastBeatAgoMs,
      });
    }
    this.confirmDead(session);
    return true;
  }

  /** Nobody listens in its place, though we are listened to in ours. */
  async #isAbsent(session: string): Promise<boolean> {
    const { bus, logger } = this.#parts;
    try {
      const [canJudge, receivers] = await Promise.all([
        this.canJudge(),
        bus.receivers(inboxChannel(session)),
      ]);
      return receivers === 0 && canJudge && this.isCalm();
    } catch (error) {
      const { code } = asBackplaneError(error);
      logger.event('debug', 'session.suspicion-dropped', { session, code });
      return false;
    }
  }
}
