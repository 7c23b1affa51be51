import { formatDuration } from '../foundation/duration.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { TextSink } from './terminal.ts';

/** Whoever waits longer than this should see that something is under way. */
const patienceMs = 1_000;
const frameMs = 100;
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** Says on a terminal that a command is still at it; gone without a trace when it is stopped. */
export class Spinner {
  readonly #err: TextSink;
  readonly #clock: Clock;
  readonly #startedMs: number;
  #timer: Timer | null;
  #drawn = 0;

  constructor(err: TextSink, clock: Clock) {
    this.#err = err;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
    this.#timer = clock.after(patienceMs, () => this.#draw());
  }

  /** Wipes what was drawn, for good. Twice is once. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#drawn > 0) void this.#err.write('\r\u001b[2K');
    this.#drawn = 0;
  }

  #draw(): void {
    const elapsedMs = Math.floor((this.#clock.monotonicMs() - this.#startedMs) / 100) * 100;
    const frame = frames[this.#drawn % frames.length];
    void this.#err.write(`\r\u001b[2K${frame} ${formatDuration(elapsedMs)}`);
    this.#drawn += 1;
    this.#timer = this.#clock.after(frameMs, () => this.#draw());
  }
}
