import { rowMentions } from '../../foundation/row-mention.ts';
import type { Size } from '../components/lines.tsx';
import type { Column, Sort, TableView, ViewState } from '../views/view.ts';
import type { Picture } from './picture.ts';

/** The rows of a table as they stand on the screen, and which one is selected. */
export interface ArrangedRows {
  readonly rows: readonly unknown[];
  /** Null when there are none. */
  readonly at: number | null;
  /** False while nothing is known yet. */
  readonly isKnown: boolean;
}

/** Filtered, sorted, with the selection on the row it was on, wherever that is by now. */
export function arrangeRows(view: TableView, picture: Picture, state: ViewState): ArrangedRows {
  const all = view.rows(picture);
  if (all === null) return { rows: [], at: null, isKnown: false };
  const nowAt = picture.pulse?.at ?? '';
  // A recording answers no filter: it is applied to what was kept.
  const isAnswered = Boolean(view.filtersElsewhere) && !picture.isReplay;
  const rows = sorted(
    isAnswered && !state.filter.startsWith('!') ? all : filtered(all, view, state.filter, nowAt),
    view,
    state,
  );
  if (rows.length === 0) return { rows, at: null, isKnown: true };
  const found = rows.findIndex((row) => view.keyOf(row) === state.selected);
  const at = found >= 0 ? found : Math.max(0, Math.min(state.at, rows.length - 1));
  return { rows, at, isKnown: true };
}

/** Rows of a table that fit below its title and header. */
export function tableRoom(body: Size): number {
  return Math.max(1, body.rows - 2);
}

/** The first row shown, such that the selected one is on the screen. */
export function firstShown(top: number, at: number | null, rows: number, room: number): number {
  const last = Math.max(0, rows - room);
  if (at === null) return 0;
  if (at < top) return at;
  if (at >= top + room) return Math.min(last, at - room + 1);
  return Math.min(top, last);
}

export function sortOf(view: TableView, { sort }: ViewState): Sort | null {
  return sort ?? view.sort ?? null;
}

/** A row stays when some column contains the text, or with `!` in front, when none does. */
function filtered(
  rows: readonly unknown[],
  view: TableView,
  filter: string,
  nowAt: string,
): readonly unknown[] {
  if (filter === '') return rows;
  return rows.filter((row) => {
    return rowMentions(
      filter,
      view.columns.map((column) => column.text(row, nowAt)),
    );
  });
}

function sorted(rows: readonly unknown[], view: TableView, state: ViewState): readonly unknown[] {
  const { columns } = view;
  const sort = sortOf(view, state);
  const column = columns.find(({ key }) => key === sort?.column);
  if (!sort || !column) return rows;
  const sign = sort.isDescending ? -1 : 1;
  return rows.toSorted((a, b) => compare(column, a, b, sign));
}

/** What is not known comes last, whichever way it is sorted. */
function compare(column: Column<unknown>, a: unknown, b: unknown, sign: number): number {
  const left = column.value(a) ?? null;
  const right = column.value(b) ?? null;
  if (left === null || right === null) return Number(left === null) - Number(right === null);
  if (left === right) return 0;
  if (typeof left === 'number' && typeof right === 'number') return sign * (left - right);
  return sign * (String(left) < String(right) ? -1 : 1);
}
