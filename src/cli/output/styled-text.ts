import { safeText } from '../../foundation/safe-text.ts';

export type Style = 'good' | 'warning' | 'bad' | 'dim' | 'bold';

/** A piece of a line: plain, or with a style that shows only where colour is wanted. */
export type Span = string | { readonly text: string; readonly style: Style };

/** One line for people. What is in it is made harmless when it is printed, not before. */
export type Line = string | readonly Span[];

const codes: Record<Style, readonly [number, number]> = {
  good: [32, 39],
  warning: [33, 39],
  bad: [31, 39],
  dim: [2, 22],
  bold: [1, 22],
};

/** The line as bytes for a terminal: first harmless, then coloured. */
export function renderLine(line: Line, colour: boolean): string {
  if (typeof line === 'string') return safeText(line);
  return line
    .map((span) =>
      typeof span === 'string' ? safeText(span) : paint(safeText(span.text), span.style, colour),
    )
    .join('');
}

/** Colours text that is already harmless. */
export function paint(text: string, style: Style | null, colour: boolean): string {
  if (!colour || style === null || text === '') return text;
  const [on, off] = codes[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/** Names and values in two columns, for reports about one thing. Absent values are skipped. */
export function fieldLines(fields: readonly (readonly [string, Span | number | null])[]): Line[] {
  const shown = fields.filter(([, value]) => value !== null);
  const width = Math.max(...shown.map(([name]) => name.length)) + 2;
  return shown.map(([name, value]) => [
    { text: name.padEnd(width), style: 'dim' },
    typeof value === 'number' ? String(value) : (value as Span),
  ]);
}
