import type { PtyCell } from '../test/support/pty.ts';

const cellWidth = 8.4;
const rowHeight = 18;
const margin = 14;
const background = '#101418';
const foreground = '#d6dde4';
const palette = [
  ...['#5c6670', '#f2777a', '#8fd694', '#f5c863', '#7aa6f2', '#d6a0e6', '#6fd3d8', '#d6dde4'],
  ...['#7f8a94', '#f2777a', '#8fd694', '#f5c863', '#7aa6f2', '#d6a0e6', '#6fd3d8', '#ffffff'],
];

/** What a terminal shows, as an SVG picture that needs nothing else. */
export function terminalPicture(rows: readonly (readonly PtyCell[])[], title: string): string {
  const columns = rows[0]?.length ?? 0;
  const width = Math.ceil(columns * cellWidth + 2 * margin);
  const height = rows.length * rowHeight + 2 * margin;
  const lines = rows.flatMap((row, at) => drawRow(row, margin + at * rowHeight));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${background}"/>`,
    '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="14" xml:space="preserve">',
    ...lines,
    '</g>',
    '</svg>',
  ].join('\n')}\n`;
}

/** Neighbours that look the same are one text, stretched to their columns. */
function drawRow(row: readonly PtyCell[], top: number): string[] {
  const drawn: string[] = [];
  for (let from = 0; from < row.length; ) {
    const look = lookOf(row[from]!);
    let to = from + 1;
    while (to < row.length && lookOf(row[to]!) === look) to += 1;
    const cells = row.slice(from, to);
    drawn.push(...drawRun(cells, margin + from * cellWidth, top));
    from = to;
  }
  return drawn;
}

function drawRun(cells: readonly PtyCell[], left: number, top: number): string[] {
  const text = cells.map((cell) => cell.text).join('');
  const { colour, isBold, isDim, isInverse } = cells[0]!;
  const own = colour === null ? foreground : (palette[colour] ?? foreground);
  const width = (cells.length * cellWidth).toFixed(1);
  const x = left.toFixed(1);
  const bar = isInverse
    ? [`<rect x="${x}" y="${top}" width="${width}" height="${rowHeight}" fill="${own}"/>`]
    : [];
  if (text.trim() === '') return bar;
  const weight = isBold ? ' font-weight="bold"' : '';
  const faint = isDim ? ' opacity="0.55"' : '';
  const fill = isInverse ? background : own;
  const place = `x="${x}" y="${top + 13}" textLength="${width}" lengthAdjust="spacingAndGlyphs"`;
  return [...bar, `<text ${place} fill="${fill}"${weight}${faint}>${escaped(text)}</text>`];
}

function lookOf({ colour, isBold, isDim, isInverse }: PtyCell): string {
  return [colour, isBold, isDim, isInverse].join();
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
