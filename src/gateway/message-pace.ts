import type { Clock, Timer } from '../ports/clock.ts';

/** What of a socket is stopped and started again: `ws` has both. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/** Shorter pauses would cost more than they hold back. */
const pauseMsMin = 20;

export interface MessagePaceParts {
  readonly clock: Clock;
  readonly messagesPerSecond: number;
  readonly socket: Pausable;
  readonly paused: () => void;
}

/**
 * Reads no more messages a second from one peer than it may send. One that is too fast is not
 * read for a while: it loses nothing, it only waits, as behind a slower network.
 */
export class MessagePace {
  readonly #parts: MessagePaceParts;
  /** Messages that may come right now; a second's worth at most. */
  #allowance: number;
  #lastMs: number;
  #resuming: Timer | null = null;

  constructor(parts: MessagePaceParts) {
    this.#parts = parts;
    this.#allowance = parts.messagesPerSecond;
    this.#lastMs = parts.clock.monotonicMs();
  }

  /** One message came. */
  take(): void {
    this.#earn();
    this.#allowance -= 1;
    if (this.#allowance >= 0 || this.#resuming) return;
    this.#parts.paused();
    this.#parts.socket.pause();
    this.#wait();
  }

  /** Messages that were read before the pause still come, so it may grow. */
  #wait(): void {
    const { clock, messagesPerSecond, socket } = this.#parts;
    const aheadMs = (-this.#allowance / messagesPerSecond) * 1_000;
    this.#resuming = clock.after(Math.max(pauseMsMin, aheadMs), () => {
      this.#earn();
      if (this.#allowance < 0) return this.#wait();
      this.#resuming = null;
      socket.resume();
    });
  }

  #earn(): void {
    const { clock, messagesPerSecond } = this.#parts;
    const nowMs = clock.monotonicMs();
    const earned = ((nowMs - this.#lastMs) / 1_000) * messagesPerSecond;
    this.#lastMs = nowMs;
    this.#allowance = Math.min(messagesPerSecond, this.#allowance + earned);
  }

  stop(): void {
    this.#resuming?.cancel();
    this.#resuming = null;
  }
}
