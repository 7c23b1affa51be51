/** Longer than that between two ticks, and nothing else was in time either. */
const standsStillMs = 25;

/**
 * When this process itself stood still: the machine was busy, or memory was cleared up. Whatever it
 * noticed late because of that, nobody else is to be blamed for.
 */
export class Standstill {
  #tickMs: number;
  #lastEndMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: number) {
    this.#tickMs = nowMs;
  }

  /** Called every few milliseconds. */
  tick(nowMs: number): void {
    if (nowMs - this.#tickMs > standsStillMs) this.#lastEndMs = nowMs;
    this.#tickMs = nowMs;
  }

  /** Whether what was due then and is noticed now is late because of it. */
  excuses(dueMs: number, nowMs: number): boolean {
    if (nowMs - dueMs <= standsStillMs) return false;
    return nowMs - this.#tickMs > standsStillMs || this.#lastEndMs >= dueMs;
  }
}
