import { safeText } from '../foundation/safe-text.ts';
import { type Clock, repeat, type Timer } from '../ports/clock.ts';
import type { Drill } from '../verification/drills/drill.ts';
import type { Scenario } from '../verification/drills/scenario.ts';
import type { CommandContext } from './context.ts';
import { progressBlock, progressLine } from './output/drill-progress-lines.ts';
import { type Line, renderLine } from './output/styled-text.ts';

const frameMs = 250;
const lineMs = 2_000;

/**
 * Shows how a drill goes, on standard error: drawn in place on a terminal, a line now and then in
 * the log of a build.
 */
export class DrillDisplay {
  readonly #context: CommandContext;
  readonly #inPlace: boolean;
  #timer: Timer | null = null;
  #drawn = 0;

  constructor(context: CommandContext) {
    this.#context = context;
    this.#inPlace = context.terminal.errIsInteractive && !context.settings.debug;
  }

  watch(scenario: Scenario, drill: Drill): void {
    const { clock } = this.#context;
    if (this.#inPlace) {
      this.#timer = every(clock, frameMs, () => {
        this.#draw([[{ text: scenario.name, style: 'bold' }], ...progressBlock(drill.progress())]);
      });
      return;
    }
    this.#timer = every(clock, lineMs, () => {
      this.#write(
        `${this.#render([`${scenario.name}  `, progressLine(drill.progress())].flat())}\n`,
      );
    });
  }

  /** Wipes what was drawn. Twice is once. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#drawn > 0) this.#write(this.#wipe());
    this.#drawn = 0;
  }

  #draw(lines: readonly Line[]): void {
    const columns = this.#context.terminal.columns();
    const text = lines.map((line) => `${this.#render(clipped(line, columns - 1))}\n`).join('');
    this.#write(this.#wipe() + text);
    this.#drawn = lines.length;
  }

  /** Up to where the drawing begins, and everything below it away. */
  #wipe(): string {
    return this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A\r\u001b[0J`;
  }

  #render(line: Line): string {
    return renderLine(line, this.#context.usesColour('err'));
  }

  #write(text: string): void {
    void this.#context.terminal.err.write(text);
  }
}

function every(clock: Clock, pauseMs: number, run: () => void): Timer {
  return repeat(clock, () => pauseMs, run);
}

/** A line that the terminal folds would be wiped only in part. What is cut is harmless before. */
function clipped(line: Line, columns: number): Line {
  let room = columns;
  const spans = typeof line === 'string' ? [line] : line;
  return spans.map((span) => {
    const text = safeText(typeof span === 'string' ? span : span.text);
    const shown = text.slice(0, Math.max(0, room));
    room -= shown.length;
    return typeof span === 'string' ? shown : { ...span, text: shown };
  });
}
