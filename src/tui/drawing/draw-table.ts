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

/** Takes in one column after the other, those that yield last first, as long as there is room. */
function columnsThatFit(
  columns: readonly Column<unknown>[],
  wanted: readonly number[],
  width: number,
): number[] {
  const byImportance = columns
    .map((_, at) => at)
    .sort((a, b) => columns[a]!.yields - columns[b]!.yields || a - b);
  const kept: number[] = [];
  let taken = -gap;
  for (const at of byImportance) {
    const wider = taken + gap + wanted[at]!;
    if (wider > width && columns[at]!.yields > 0) continue;
    kept.push(at);
    taken = wider;
  }
  return kept.sort((a, b) => a - b);
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
