import { protocol } from '../../foundation/limits.ts';

/** An instant on both clocks of this machine. */
export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/**
 * Until when a node may trust its own session, counted from when the renewal was *sent*, so that
 * it ends before the engine's TTL does. On both clocks: a laptop that sleeps stops the monotonic
 * one (nodejs/node#47724). A wall clock stepped back changes nothing, because the monotonic one
 * still judges.
 */
export class SessionDeadline {
  #monotonicMs = Number.NEGATIVE_INFINITY;
  #wallMs = Number.NEGATIVE_INFINITY;

  renewed(sent: Instant, ttlMs: number): void {
    const trustMs = trustedMs(ttlMs);
    if (sent.monotonicMs + trustMs <= this.#monotonicMs) return;
    this.#monotonicMs = sent.monotonicMs + trustMs;
    this.#wallMs = sent.wallMs + trustMs;
  }

  /** How long it may still be trusted; below 0 when it may not. */
  leftMs(now: Instant): number {
    return Math.min(this.#monotonicMs - now.monotonicMs, this.#wallMs - now.wallMs);
  }

  isValid(now: Instant): boolean {
    return now.monotonicMs < this.#monotonicMs && now.wallMs < this.#wallMs;
  }
}

export function trustedMs(ttlMs: number): number {
  return ttlMs * (1 - protocol.clockRateError) - protocol.clockMarginMs;
}
