import { invariant } from '../../foundation/assert.ts';
import { asBackplaneError, BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import type { Bus } from '../../ports/bus.ts';
import { type Clock, sleep, type Timer } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import type { SessionDescription, Sessions, SessionVitals } from '../../ports/sessions.ts';
import type { Counters } from '../counters.ts';
import type { Strain } from '../health/strain.ts';
import { type NodeDials, renewalTimeoutMs } from '../node-settings.ts';
import { withDeadline } from '../with-deadline.ts';
import { SessionDeadline } from './session-deadline.ts';

export interface SessionKeeperParts {
  readonly sessions: Sessions;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly dials: NodeDials;
  readonly strain?: Strain;
  describe(): SessionDescription;
  vitals(): SessionVitals;
  /** Must be listening on the new session's inbox before the session can be seen. */
  prepare(id: string): Promise<void>;
  /** The old session is over: forget everything that hung on it, at once. */
  lost(id: string): void;
  opened(id: string): void;
}

interface Held {
  readonly id: string;
  readonly token: string;
  readonly boot: string;
  readonly deadline: SessionDeadline;
  beat: number;
  beatConfirmed: number;
}

const retryPausesMs = [250, 500, 1_000];

/**
 * Keeps this node's session alive, knows when it can no longer be trusted, and opens a new one
 * when it died. `isValid` is to be asked at every use: no timer decides it.
 */
export class SessionKeeper {
  readonly #parts: SessionKeeperParts;
  #held: Held | null = null;
  #stopped = true;
  #renewing: Promise<void> | null = null;
  #renewAgain = false;
  #timer: Timer | null = null;
  /** Aborted when there is no reason to wait before the next attempt: news, or the end. */
  #hurry = new AbortController();

  constructor(parts: SessionKeeperParts) {
    this.#parts = parts;
  }

  id(): string | null {
    return this.#held?.id ?? null;
  }

  isValid(id: string | null = this.id()): boolean {
    return this.#held !== null && this.#held.id === id && this.#held.deadline.isValid(this.#now());
  }

  /** The session to act under; throws LEASE_UNCERTAIN when there is none to be trusted. */
  require(): string {
    if (this.#held && this.isValid()) return this.#held.id;
    this.makeSure();
    throw new BackplaneError('LEASE_UNCERTAIN', 'this node cannot prove that its session is alive');
  }

  async start(): Promise<void> {
    this.#stopped = false;
    await this.#open();
    this.#arm(this.#parts.dials.heartbeatMs);
  }

  /** Ends the session at once, by our own hand; a node that died instead leaves it to expire. */
  async stop(how: 'leave' | 'crash'): Promise<void> {
    this.#stopped = true;
    this.#hurry.abort();
    this.#timer?.cancel();
    await this.#renewing?.catch(() => {});
    const held = this.#held;
    this.#held = null;
    if (held && how === 'leave') await this.#leave(held);
  }

  async #leave(held: Held): Promise<void> {
    const { sessions, clock, dials } = this.#parts;
    // A beat in doubt may have been counted or not: try the one confirmed, then the one sent.
    for (const beat of new Set([held.beatConfirmed, held.beat])) {
      const answer = await withDeadline(
        clock,
        renewalTimeoutMs(dials),
        sessions.fence(held.id, beat, 'left'),
      );
      if (answer !== 'renewed') return;
    }
  }

  /** Renews now: after the broker was away, before somebody takes the silence for death. */
  renewNow(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = null;
      if (!this.#renewAgain) return;
      this.#renewAgain = false;
      this.doubt();
    });
    return this.#renewing;
  }

  #arm(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer?.cancel();
    const dueMs = this.#parts.clock.monotonicMs() + delayMs;
    this.#timer = this.#parts.clock.after(delayMs, async () => {
      this.#parts.strain?.timerFired(dueMs);
      await this.renewNow().catch((error) => this.#report(error));
      this.#arm(this.#parts.dials.heartbeatMs);
    });
  }

  async #renew(): Promise<void> {
    for (const pauseMs of [...retryPausesMs, null]) {
      const held = this.#held;
      if (!held || this.#stopped) return;
      try {
        return await this.#renewOnce(held);
      } catch (error) {
        this.#report(error);
        if (pauseMs === null) return;
        await this.#pause(pauseMs);
      }
    }
  }

  async #renewOnce(held: Held): Promise<void> {
    const { sessions, clock, dials } = this.#parts;
    const sent = this.#now();
    held.beat += 1;
    const beat = held.beat;
    const answer = await withDeadline(
      clock,
      renewalTimeoutMs(dials),
      sessions.renew({
        id: held.id,
        token: held.token,
        beat,
        ttlMs: dials.leaseTtlMs,
        vitals: this.#parts.vitals(),
      }),
    );
    if (this.#held !== held || this.#stopped) return;
    if (answer.status === 'stale') return;
    const rewound = answer.status === 'renewed' && answer.previousBeat < held.beatConfirmed;
    if (answer.status === 'renewed' && !rewound && answer.boot === held.boot) {
      invariant(beat > held.beatConfirmed, 'beats grow');
      held.beatConfirmed = beat;
      const now = this.#now();
      const tookMs = now.monotonicMs - sent.monotonicMs;
      this.#parts.strain?.renewed(tookMs, held.deadline.leftMs(now));
      held.deadline.renewed(sent, dials.leaseTtlMs);
      return;
    }
    if (answer.status === 'dead') return this.#lose(held, 'found dead');
    this.#forget(held, 'broker lost its data');
    // It lives on in the broker, and nobody could take its documents before it expires.
    await this.#leave(held).catch((error) => this.#report(error));
    await this.#reopen();
  }

  async #lose(held: Held, why: string): Promise<void> {
    this.#forget(held, why);
    await this.#reopen();
  }

  #forget(held: Held, why: string): void {
    this.#held = null;
    this.#parts.counters.add('sessions_lost_total');
    this.#parts.logger.event('warn', 'session.lost', { session: held.id, why });
    this.#parts.lost(held.id);
  }

  async #reopen(): Promise<void> {
    for (let attempt = 0; !this.#stopped && this.#held === null; attempt++) {
      try {
        return await this.#open();
      } catch (error) {
        this.#report(error);
        const pauseMs = retryPausesMs[Math.min(attempt, retryPausesMs.length - 1)] ?? 1_000;
        await this.#pause(pauseMs);
      }
    }
  }

  async #pause(pauseMs: number): Promise<void> {
    if (this.#stopped) return;
    this.#hurry = new AbortController();
    await sleep(this.#parts.clock, pauseMs, this.#hurry.signal);
  }

  async #open(): Promise<void> {
    const { sessions, clock, random, dials, counters, logger } = this.#parts;
    // A new id for every attempt: after an answer that was lost the old id may be open already.
    const id = random.token(7).slice(0, 10);
    const token = random.token(16);
    await withDeadline(clock, renewalTimeoutMs(dials), this.#parts.prepare(id));
    const sent = this.#now();
    const { boot } = await withDeadline(
      clock,
      renewalTimeoutMs(dials),
      sessions.open({ id, token, ttlMs: dials.leaseTtlMs, description: this.#parts.describe() }),
    );
    const deadline = new SessionDeadline();
    deadline.renewed(sent, dials.leaseTtlMs);
    this.#held = { id, token, boot, deadline, beat: 0, beatConfirmed: 0 };
    counters.add('sessions_opened_total');
    logger.event('info', 'session.opened', { session: id });
    this.#parts.opened(id);
  }

  /**
   * There is news: the store says that we were fenced, or what we say of ourselves has changed. Not
   * to wait for the next beat; one that is under way was sent before the news.
   */
  doubt(): void {
    if (this.#renewing) {
      this.#renewAgain = true;
      this.#hurry.abort();
    } else void this.renewNow().catch((error) => this.#report(error));
  }

  /** Somebody needs the session, and it cannot be trusted: the next beat would be late for that. */
  makeSure(): void {
    void this.renewNow().catch((error) => this.#report(error));
  }

  #report(error: unknown): void {
    this.#parts.counters.add('renewals_failed_total');
    const { code, message } = asBackplaneError(error);
    const level = isBackplaneError(error) ? 'warn' : 'error';
    this.#parts.logger.event(level, 'session.renewal-failed', { code, message });
  }

  #now() {
    return { monotonicMs: this.#parts.clock.monotonicMs(), wallMs: this.#parts.clock.wallMs() };
  }
}
