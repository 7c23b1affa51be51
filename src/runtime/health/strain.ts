import type { Clock } from '../../ports/clock.ts';

/** How near a node came to its limits in the last minutes; null: nothing was measured. */
export interface StrainReport {
  /** How long the event loop stood still at worst: nothing runs meanwhile, no heartbeat either. */
  readonly loopLagMs: number | null;
  /** How much of the session's time was left, at worst, when a renewal came through. */
  readonly sessionMarginMs: number | null;
  /** How long a renewal took at worst. */
  readonly renewalMs: number | null;
  readonly overMs: number;
}

const windowMs = 300_000;

interface Window {
  sinceMs: number;
  loopLagMs: number | null;
  sessionMarginMs: number | null;
  renewalMs: number | null;
}

/**
 * Remembers the worst of the last five to ten minutes: what nearly went wrong is news before it
 * does. It measures on timers that run anyway, so it costs nothing.
 */
export class Strain {
  readonly #clock: Clock;
  #now: Window;
  #before: Window | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#now = empty(clock.monotonicMs());
  }

  /** A timer was due at this moment, and fires only now. */
  timerFired(dueMs: number): void {
    const window = this.#window();
    window.loopLagMs = Math.max(window.loopLagMs ?? 0, this.#clock.monotonicMs() - dueMs);
  }

  renewed(tookMs: number, marginMs: number): void {
    const window = this.#window();
    window.renewalMs = Math.max(window.renewalMs ?? 0, tookMs);
    window.sessionMarginMs = Math.min(window.sessionMarginMs ?? marginMs, marginMs);
  }

  read(): StrainReport {
    const now = this.#window();
    const both = [now, this.#before].filter((window) => window !== null);
    const worst = (values: (number | null)[], pick: (...numbers: number[]) => number) => {
      const known = values.filter((value) => value !== null);
      return known.length === 0 ? null : Math.round(pick(...known));
    };
    return {
      loopLagMs: worst(
        both.map(({ loopLagMs }) => loopLagMs),
        Math.max,
      ),
      sessionMarginMs: worst(
        both.map(({ sessionMarginMs }) => sessionMarginMs),
        Math.min,
      ),
      renewalMs: worst(
        both.map(({ renewalMs }) => renewalMs),
        Math.max,
      ),
      overMs: Math.round(this.#clock.monotonicMs() - (this.#before ?? now).sinceMs),
    };
  }

  #window(): Window {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#now.sinceMs < windowMs) return this.#now;
    // Old strain is no news: of a gap longer than a window nothing is kept.
    this.#before = nowMs - this.#now.sinceMs < 2 * windowMs ? this.#now : null;
    this.#now = empty(nowMs);
    return this.#now;
  }
}

function empty(sinceMs: number): Window {
  return { sinceMs, loopLagMs: null, sessionMarginMs: null, renewalMs: null };
}
