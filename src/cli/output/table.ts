import stringWidth from 'string-width';
import { clipText, safeText } from '../../foundation/safe-text.ts';
import type { Column } from './column.ts';
import { paint } from './styled-text.ts';

export interface TableStyle {
  readonly wide: boolean;
  readonly colour: boolean;
  readonly nowMs: number;
}

/**
 * Rows as aligned columns, in constant memory: the first page fixes the widths, a later cell that
 * is wider pushes its line out rather than holding all the lines back.
 */
export class Table<Row> {
  readonly #columns: readonly Column<Row>[];
  readonly #style: TableStyle;
  #widths: number[] | null = null;

  constructor(columns: readonly Column<Row>[], style: TableStyle) {
    this.#columns = columns.filter((column) => style.wide || !column.wide);
    this.#style = style;
  }

  /** The lines of a page, with the header before the first. */
  page(rows: readonly Row[]): string {
    const cells = rows.map((row) => this.#columns.map((column) => this.#cell(column, row)));
    const headers = this.#columns.map((column) => column.header);
    let text = '';
    if (this.#widths === null) {
      this.#widths = headers.map((header, at) =>
        Math.max(stringWidth(header), ...cells.map((line) => stringWidth(line[at] as string))),
      );
      text = this.#line(headers, null);
    }
    return text + cells.map((line, at) => this.#line(line, rows[at] as Row)).join('');
  }

  #cell(column: Column<Row>, row: Row): string {
    const text = column.text?.(row, this.#style.nowMs) ?? plainCell(row[column.key]);
    return clipText(safeText(text === '' ? '-' : text), column.lengthMax ?? 200);
  }

  #line(cells: readonly string[], row: Row | null): string {
    const last = cells.length - 1;
    const padded = cells.map((cell, at) => {
      const column = this.#columns[at] as Column<Row>;
      const gap = ' '.repeat(Math.max(0, (this.#widths?.[at] ?? 0) - stringWidth(cell)));
      const style = row === null ? 'dim' : (column.style?.(row) ?? null);
      const painted = paint(cell, style, this.#style.colour);
      if (column.align === 'right') return gap + painted;
      return at === last ? painted : painted + gap;
    });
    return `${padded.join('   ')}\n`;
  }
}

function plainCell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
