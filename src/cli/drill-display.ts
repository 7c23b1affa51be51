import { clipText, safeText } from '../foundation/safe-text.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { DrillProgress } from '../verification/drills/drill.ts';
import { progressBlock, progressLine } from './output/drill-progress-lines.ts';
import { type Line, renderLine } from './output/styled-text.ts';
import type { Terminal } from './terminal.ts';

export interface DrillDisplayOptions {
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** Whether standard error is coloured. */
  readonly colour: boolean;
  readonly progress: () => DrillProgress;
}

const frameMs = 200;
const lineMs = 2_000;

/**
 * Shows on standard error how a drill goes: on a terminal a block that is drawn in its place and
 * gone when it stops, otherwise a line now and then. The first `print.note` before it sends the
 * spinner away.
 */
export class DrillDisplay {
  readonly #options: DrillDisplayOptions;
  #timer: Timer | null = null;
  /** Lines on the screen that are ours. */
  #drawn = 0;

  constructor(options: DrillDisplayOptions) {
    this.#options = options;
  }

  start(): void {
    this.#wait();
  }

  /** Wipes the block. Twice is once. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#drawn > 0) void this.#options.terminal.err.write(this.#wipe());
    this.#drawn = 0;
  }

  #wait(): void {
    const { clock, terminal } = this.#options;
    const pauseMs = terminal.errIsInteractive ? frameMs : lineMs;
    this.#timer = clock.after(pauseMs, () => {
      this.#show();
      this.#wait();
    });
  }

  #show(): void {
    const { terminal, progress, colour } = this.#options;
    if (!terminal.errIsInteractive) {
      void terminal.err.write(`${renderLine(progressLine(progress()), colour)}\n`);
      return;
    }
    // A line that wraps would be two on the screen, and one to us.
    const lines = progressBlock(progress()).map((line) => clipped(line, terminal.columns() - 1));
    const text = lines.map((line) => `${renderLine(line, colour)}\n`).join('');
    void terminal.err.write(`${this.#wipe()}${text}`);
    this.#drawn = lines.length;
  }

  #wipe(): string {
    return this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A\r\u001b[J`;
  }
}

/** Cut to a width; what is cut is made harmless first, or escapes would make it longer again. */
function clipped(line: Line, width: number): Line {
  let left = width;
  return (typeof line === 'string' ? [line] : line).map((span) => {
    const text = safeText(typeof span === 'string' ? span : span.text);
    const shown = text.length <= left ? text : left <= 0 ? '' : clipText(text, left);
    left -= shown.length;
    return typeof span === 'string' ? shown : { ...span, text: shown };
  });
}
