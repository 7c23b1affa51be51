import { formatDuration } from '../foundation/duration.ts';
import { repeat, type Timer } from '../ports/clock.ts';
import type { BenchTally } from '../verification/bench/bench-tally.ts';
import type { LoadPlan } from '../verification/bench/run-load.ts';
import type { CommandContext } from './context.ts';

const everyMs = { terminal: 500, otherwise: 10_000 } as const;

/** Says how far a measurement is: on a terminal in one line that is drawn again, else now and then. */
export class BenchMeter {
  readonly #context: CommandContext;
  readonly #timer: Timer;
  readonly #isTerminal: boolean;

  constructor(context: CommandContext, tally: BenchTally, load: LoadPlan) {
    const { clock, terminal } = context;
    this.#context = context;
    this.#isTerminal = terminal.errIsInteractive;
    const startMs = clock.monotonicMs();
    const pauseMs = everyMs[this.#isTerminal ? 'terminal' : 'otherwise'];
    this.#timer = repeat(
      clock,
      () => pauseMs,
      () => this.#show(tally, load, clock.monotonicMs() - startMs),
    );
  }

  end(): void {
    this.#timer.cancel();
    if (this.#isTerminal) void this.#context.terminal.err.write('\r\u001b[2K');
  }

  #show({ done, failed, latency }: BenchTally, load: LoadPlan, ranMs: number): void {
    const { warmUpMs, durationMs } = load;
    const measuredMs = Math.min(ranMs - warmUpMs, durationMs);
    const text =
      measuredMs <= 0
        ? 'warming up'
        : `${formatDuration(measuredMs)} of ${formatDuration(durationMs)}, ${Math.round((done * 1_000) / measuredMs)}/s, p99 ${formatDuration(latency.figures().p99Ms)}, ${failed} failed`;
    void this.#context.terminal.err.write(this.#isTerminal ? `\r\u001b[2K${text}` : `${text}\n`);
  }
}
