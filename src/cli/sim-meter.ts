import type { SimProgress } from '../verification/simulation/simulate.ts';
import type { CommandContext } from './context.ts';

const everyMs = { terminal: 200, otherwise: 30_000 } as const;

/** Says how far a simulation is: on a terminal in one line that is drawn again, else now and then. */
export class SimMeter {
  readonly #context: CommandContext;
  readonly #isTerminal: boolean;
  #shownMs: number;
  #isDrawn = false;

  constructor(context: CommandContext) {
    this.#context = context;
    this.#isTerminal = context.terminal.errIsInteractive;
    this.#shownMs = context.clock.monotonicMs();
  }

  show({ seedsDone, seedsWanted, seedsPerSecond, simulatedHours, violations }: SimProgress): void {
    const nowMs = this.#context.clock.monotonicMs();
    const isDue = nowMs - this.#shownMs >= everyMs[this.#isTerminal ? 'terminal' : 'otherwise'];
    if (!isDue) return;
    this.#shownMs = nowMs;
    const found = violations === 0 ? '' : `, ${violations} violations`;
    const text = `${seedsDone} of ${seedsWanted} seeds, ${seedsPerSecond.toFixed(1)} seeds/s, ${simulatedHours.toFixed(1)} simulated hours${found}`;
    const { err } = this.#context.terminal;
    this.#isDrawn = this.#isTerminal;
    void err.write(this.#isTerminal ? `\r\u001b[2K${text}` : `${text}\n`);
  }

  end(): void {
    if (this.#isDrawn) void this.#context.terminal.err.write('\r\u001b[2K');
  }
}
