import type { Clock, Timer } from '../../ports/clock.ts';
import type { Timeline } from './timeline.ts';

/** How the clocks of a machine differ from true time. */
export interface ClockDrift {
  /** How much faster than true time: 1.005 gains half a percent. */
  readonly rate: number;
  readonly wallOffsetMs: number;
}

/** 2026-01-01, so that times look like times. */
const wallStartMs = 1_767_225_600_000;
/** A timer must not fire before its delay, also after a division. */
const roundingMs = 0.001;

/** Fires when its process can: one that was stopped meanwhile may cancel it before. */
class ProcessTimer implements Timer {
  armed: Timer | null = null;
  readonly #process: SimProcess;
  #run: (() => void) | null;

  constructor(process: SimProcess, run: () => void) {
    this.#process = process;
    this.#run = run;
  }

  readonly fire = (): void => {
    this.#process.deliver(this.#act);
  };

  readonly #act = (): void => {
    this.#run?.();
  };

  cancel(): void {
    this.#run = null;
    this.armed?.cancel();
  }
}

/**
 * One life of a process, as its machine sees it: it has clocks of its own, can stand still while
 * the world goes on, and ends at once. Whatever reaches it from outside (an answer, a message, a
 * timer) comes through `deliver`: it waits while the process stands still, and is lost with it.
 */
export class SimProcess implements Clock {
  readonly name: string;
  readonly #timeline: Timeline;
  readonly #drift: ClockDrift;
  #wallJumpMs = 0;
  #sleptMs = 0;
  #stoppedMs: number | null = null;
  #held: (() => void)[] = [];
  #ended = false;
  /** When its wall clock was set, and when it woke from a sleep, which stops the other clock. */
  lastJumpedMs = Number.NEGATIVE_INFINITY;
  lastWokenMs = Number.NEGATIVE_INFINITY;
  /** Since when it has not been held up: what waited before that may be late through no fault. */
  lastResumedMs = Number.NEGATIVE_INFINITY;

  constructor(name: string, timeline: Timeline, drift: ClockDrift) {
    this.name = name;
    this.#timeline = timeline;
    this.#drift = drift;
  }

  get isRunning(): boolean {
    return !this.#ended && this.#stoppedMs === null;
  }

  get isOver(): boolean {
    return this.#ended;
  }

  get isPaused(): boolean {
    return this.#stoppedMs !== null;
  }

  monotonicMs(): number {
    return (this.#timeline.nowMs - this.#sleptMs) * this.#drift.rate;
  }

  wallMs(): number {
    const { rate, wallOffsetMs } = this.#drift;
    return wallStartMs + this.#timeline.nowMs * rate + wallOffsetMs + this.#wallJumpMs;
  }

  after(delayMs: number, run: () => void): Timer {
    const trueMs = Math.max(0, delayMs) / this.#drift.rate + roundingMs;
    const timer = new ProcessTimer(this, run);
    timer.armed = this.#timeline.after(trueMs, timer.fire);
    return timer;
  }

  /** Something reaches the process from outside. */
  deliver(run: () => void): void {
    if (this.#ended) return;
    if (this.#stoppedMs === null) run();
    else this.#held.push(run);
  }

  jumpWall(byMs: number): void {
    this.#wallJumpMs += byMs;
    this.lastJumpedMs = this.#timeline.nowMs;
  }

  /** It stands still: its sockets stay open and fill up. */
  pause(): void {
    this.#stoppedMs ??= this.#timeline.nowMs;
  }

  /** It goes on, and finds everything at once that came meanwhile. */
  resume(how: 'stopped' | 'slept' = 'stopped'): void {
    if (this.#stoppedMs === null || this.#ended) return;
    if (how === 'slept') {
      this.#sleptMs += this.#timeline.nowMs - this.#stoppedMs;
      this.lastWokenMs = this.#timeline.nowMs;
    }
    this.#stoppedMs = null;
    this.lastResumedMs = this.#timeline.nowMs;
    const held = this.#held;
    this.#held = [];
    for (const run of held) this.#timeline.after(0, () => this.deliver(run));
  }

  /** `kill -9`. */
  end(): void {
    this.#ended = true;
    this.#held = [];
  }
}
