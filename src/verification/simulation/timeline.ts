import { invariant } from '../../foundation/assert.ts';
import type { Timer } from '../../ports/clock.ts';

class Happening implements Timer {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | null;

  constructor(atMs: number, order: number, run: () => void) {
    this.atMs = atMs;
    this.order = order;
    this.run = run;
  }

  cancel(): void {
    this.run = null;
  }
}

/** The real one, before a world guard takes its place. */
const realNextTick = process.nextTick.bind(process);
const realImmediate = setImmediate;
const settled = Promise.resolve();
/** Now and then the real event loop gets a turn, so that a worker can hear that it is to stop. */
const eventsBetweenTurns = 20_000;

/**
 * Time that passes only from one event to the next. Between two events everything that can go on
 * without time goes on: first every chain of promises, then the ticks that were asked for, again
 * and again; so a run is the same each time.
 *
 * The driver is a real tick that is asked for by a promise: Node.js runs it when no promise is left
 * to go on, which costs a fraction of a turn of the event loop.
 */
export class Timeline {
  nowMs = 0;
  /** How many events there were. */
  events = 0;
  #order = 0;
  #heap: Happening[] = [];
  #ticks: (() => void)[] = [];
  #running = false;
  /** Whether what runs now belongs to the world, and not to the machine around it. */
  isInside = false;

  /** Runs it at that time, after what was asked for before at the same time. */
  at(atMs: number, run: () => void): Timer {
    this.#order += 1;
    const happening = new Happening(Math.max(atMs, this.nowMs), this.#order, run);
    this.#push(happening);
    return happening;
  }

  after(delayMs: number, run: () => void): Timer {
    return this.at(this.nowMs + delayMs, run);
  }

  /** What `process.nextTick` is inside the world. */
  tick(run: () => void): void {
    this.#ticks.push(run);
  }

  /** Lets time pass until it has come, or `isOver` says so. */
  run(untilMs: number, isOver: () => boolean): Promise<void> {
    invariant(!this.#running, 'time passes once');
    this.#running = true;
    return new Promise<void>((resolve, reject) => {
      const again = () => {
        this.events += 1;
        if (this.events % eventsBetweenTurns !== 0) return realNextTick(step);
        this.isInside = false;
        realImmediate(step);
      };
      const step = () => {
        this.isInside = true;
        try {
          if (this.#runTicks() || (!isOver() && this.#runNext(untilMs))) {
            settled.then(again);
            return;
          }
          this.#stop();
          resolve();
        } catch (error) {
          this.#stop();
          reject(error);
        }
      };
      settled.then(again);
    });
  }

  #stop(): void {
    this.#running = false;
    this.isInside = false;
  }

  #runTicks(): boolean {
    if (this.#ticks.length === 0) return false;
    const ticks = this.#ticks;
    this.#ticks = [];
    for (const tick of ticks) tick();
    return true;
  }

  #runNext(untilMs: number): boolean {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs);
        return false;
      }
      this.#pop();
      const { run } = next;
      if (run === null) continue;
      this.nowMs = next.atMs;
      next.run = null;
      run();
      return true;
    }
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(happening);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above]!;
      if (!isSooner(happening, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    const { length } = heap;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= length) break;
      const right = below + 1;
      if (right < length && isSooner(heap[right]!, heap[below]!)) below = right;
      if (!isSooner(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
  }
}

function isSooner(one: Happening, other: Happening): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
