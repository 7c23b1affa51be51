import type { Column, Sort } from '../views/view.ts';
import { fitted, line, type Piece, piece, type ScreenLine, shown, widthOf } from './screen-line.ts';
import { glyphsOf, type Theme } from './theme.ts';

export interface TableDrawing {
  readonly columns: readonly Column<unknown>[];
  /** Only those that fit on the screen: drawing a thousand to show thirty costs a core. */
  readonly rows: readonly unknown[];
  /** Within the rows given; null for none. */
  readonly selected: number | null;
  readonly sort: Sort | null;
  readonly width: number;
  readonly theme: Theme;
  readonly nowAt: string;
}

interface Cell {
  readonly text: string;
  readonly tone: Piece['tone'];
}

const gap = 2;

/** A header and a line for each row; what does not fit side by side is left out by its importance. */
export function drawTable(drawing: TableDrawing): ScreenLine[] {
  const { columns, rows, theme, nowAt, selected } = drawing;
  const cells = rows.map((row) =>
    columns.map((column) => ({
      text: shown(column.text(row, nowAt), theme),
      tone: column.tone?.(row) ?? 'plain',
    })),
  );
  const headers = columns.map((column) => headerText(column, drawing));
  const wanted = columns.map((column, at) => {
    const widest = Math.max(headers[at]!.length, ...cells.map((row) => widthOf(row[at]!.text)));
    return Math.min(widest, Math.max(column.widthMax ?? widest, headers[at]!.length));
  });
  const mark = 2;
  const kept = columnsThatFit(columns, wanted, drawing.width - mark);
  const widths = shrunk(kept, wanted, drawing.width - mark);
  const header = kept.map((at) => {
    return fitted(headers[at]!, widths.get(at)!, theme, columns[at]!.align ?? 'left');
  });
  return [
    line(piece(`  ${header.join(' '.repeat(gap))}`, 'dim')),
    ...cells.map((row, at) => {
      const isSelected = at === selected;
      const pointer = isSelected ? `${glyphsOf(theme).pointer} ` : '  ';
      return { pieces: [piece(pointer), ...rowPieces(row, kept, widths, drawing)], isSelected };
    }),
  ];
}

function rowPieces(
  row: readonly Cell[],
  kept: readonly number[],
  widths: ReadonlyMap<number, number>,
  { columns, theme }: TableDrawing,
): Piece[] {
  return kept.flatMap((at, place) => {
    const { text, tone } = row[at]!;
    const own = piece(fitted(text, widths.get(at)!, theme, columns[at]!.align ?? 'left'), tone);
    return place === 0 ? [own] : [piece(' '.repeat(gap)), own];
  });
}

function headerText({ key, header }: Column<unknown>, { sort, theme }: TableDrawing): string {
  if (sort?.column !== key) return header;
  const { ascending, descending } = glyphsOf(theme);
  return `${header}${sort.isDescending ? descending : ascending}`;
}

/** Leaves out the column that yields first until the rest fits; those that never yield are cut. */
function columnsThatFit(
  columns: readonly Column<unknown>[],
  wanted: readonly number[],
  width: number,
): number[] {
  let kept = columns.map((_, at) => at);
  const total = () => kept.reduce((sum, at) => sum + wanted[at]! + gap, -gap);
  while (total() > width) {
    const first = kept.toSorted((a, b) => columns[b]!.yields - columns[a]!.yields || b - a)[0]!;
    if (columns[first]!.yields === 0) break;
    kept = kept.filter((at) => at !== first);
  }
  return kept;
}

/** Takes from the widest column until the row fits. */
function shrunk(
  kept: readonly number[],
  wanted: readonly number[],
  width: number,
): Map<number, number> {
  const widths = new Map(kept.map((at) => [at, wanted[at]!]));
  const total = () => [...widths.values()].reduce((sum, each) => sum + each + gap, -gap);
  while (total() > width) {
    const [widest, own] = [...widths].toSorted(([, a], [, b]) => b - a)[0] ?? [0, 0];
    if (own <= 1) break;
    widths.set(widest, own - 1);
  }
  return widths;
}

/** A row in words: `node web-1, state live, docs 3`. */
export function rowInWords(
  columns: readonly Column<unknown>[],
  row: unknown,
  nowAt: string,
): string {
  return columns
    .filter(({ yields }) => yields <= 2)
    .map((column) => `${column.header.toLowerCase()} ${column.text(row, nowAt)}`)
    .join(', ');
}
