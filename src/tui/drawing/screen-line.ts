import stringWidth from 'string-width';
import { safeText } from '../../foundation/safe-text.ts';
import { glyphsOf, type Theme, type Tone } from './theme.ts';

/** A piece of a line in one tone. */
export interface Piece {
  readonly text: string;
  readonly tone: Tone;
}

/** One row of the screen, before it is cut to the width of the terminal. */
export interface ScreenLine {
  readonly pieces: readonly Piece[];
  /** The row the keys act on. */
  readonly isSelected?: boolean;
}

export function piece(text: string, tone: Tone = 'plain'): Piece {
  return { text, tone };
}

/** Strings are plain pieces. */
export function line(...parts: readonly (Piece | string)[]): ScreenLine {
  return { pieces: parts.map((part) => (typeof part === 'string' ? piece(part) : part)) };
}

export const blankLine: ScreenLine = { pieces: [] };

const printable = /^[\x20-\x7e]*$/;

/** How many columns a text takes. Most of what is shown is plain, and then that is its length. */
export function widthOf(text: string): number {
  return printable.test(text) ? text.length : stringWidth(text);
}

/** Text from anywhere as a terminal can show it: harmless, and in its alphabet. */
export function shown(text: string, theme: Theme): string {
  if (printable.test(text)) return text;
  const safe = safeText(text);
  return theme.ascii ? safe.replace(/[^\x20-\x7e]/gu, '?') : safe;
}

/** Exactly this wide: cut with an ellipsis, or filled. The text must be `shown` already. */
export function fitted(
  text: string,
  width: number,
  theme: Theme,
  align: 'left' | 'right' = 'left',
): string {
  const own = widthOf(text);
  if (own > width) return cut(text, width, theme);
  const filling = ' '.repeat(width - own);
  return align === 'left' ? text + filling : filling + text;
}

function cut(text: string, width: number, theme: Theme): string {
  if (width <= 0) return '';
  const mark = glyphsOf(theme).ellipsis;
  if (printable.test(text)) return text.slice(0, width - 1) + mark;
  let kept = '';
  let taken = 0;
  for (const character of text) {
    const own = stringWidth(character);
    if (taken + own > width - 1) break;
    kept += character;
    taken += own;
  }
  return kept + mark + ' '.repeat(width - 1 - taken);
}

/** The pieces of a line as they fill a row exactly. */
export function fitLine({ pieces }: ScreenLine, width: number, theme: Theme): Piece[] {
  const fitting: Piece[] = [];
  let left = width;
  for (const { text, tone } of pieces) {
    if (left <= 0) break;
    const safe = shown(text, theme);
    const own = widthOf(safe);
    const taken = own > left ? fitted(safe, left, theme) : safe;
    fitting.push(piece(taken, tone));
    left -= Math.min(own, left);
  }
  if (left > 0) fitting.push(piece(' '.repeat(left)));
  return fitting;
}

/** Everything of a line as one text, for those who listen to it. */
export function lineText({ pieces }: ScreenLine): string {
  return pieces
    .map(({ text }) => text)
    .join('')
    .trim();
}
