import type { Size } from '../components/lines.tsx';
import type { ScreenLine } from '../drawing/screen-line.ts';
import type { Theme, Tone } from '../drawing/theme.ts';
import type { Action } from '../state/action.ts';
import type { Picture, Wish } from '../state/picture.ts';

/** Where somebody is: a view, and for some views what it is of. */
export interface Place {
  readonly view: string;
  readonly subject: string | null;
}

/** What the keys have made of a view so far. */
export interface ViewState {
  readonly filter: string;
  readonly sort: Sort | null;
  /** The selected row by what it is of, so that it stays selected when rows move. */
  readonly selected: string | null;
  /** Where the selection was, for when that row is gone. */
  readonly at: number;
  /** The first row on the screen. */
  readonly top: number;
  /** Which part of a page is open. */
  readonly pane: number;
  /** Names after which pages began, on the way to the page shown. */
  readonly pages: readonly string[];
}

export interface Sort {
  readonly column: string;
  readonly isDescending: boolean;
}

export const freshView: ViewState = {
  filter: '',
  sort: null,
  selected: null,
  at: 0,
  top: 0,
  pane: 0,
  pages: [],
};

interface AnyView {
  readonly name: string;
  /** Other words for it after `:`. */
  readonly aliases: readonly string[];
  readonly title: string;
  /** What it needs besides the pulse. */
  wish?(place: Place, state: ViewState): Partial<Wish>;
  /** Left out of the list of views: one goes there from another one. */
  readonly isInner?: boolean;
}

/** A view that is a list: selecting, filtering and sorting come with it. */
export interface TableView extends AnyView {
  readonly kind: 'table';
  readonly columns: readonly Column<unknown>[];
  /** Null: not known yet. */
  rows(picture: Picture): readonly unknown[] | null;
  keyOf(row: unknown): string;
  readonly empty: string;
  /** How it is sorted until somebody sorts it otherwise; absent: as it comes. */
  readonly sort?: Sort;
  /** How many there are besides those listed; told in the title. */
  note?(picture: Picture, state: ViewState): string | null;
  /** Where enter leads. */
  open?(row: unknown): Place | null;
  actions?(row: unknown, picture: Picture): Action[];
  /** The filter is answered by the cluster, so what came fits already. */
  readonly filtersElsewhere?: boolean;
  /** The name after which the next page begins; null when there is none. */
  nextPage?(picture: Picture): string | null;
}

/** A view that draws itself. */
export interface PageView extends AnyView {
  readonly kind: 'page';
  lines(picture: Picture, drawing: PageDrawing): readonly ScreenLine[];
  readonly panes?: readonly string[];
  /** How many rows there are to scroll through in one of its panes. */
  rowsIn?(picture: Picture, pane: number): number;
  actions?(picture: Picture): Action[];
}

export type View = TableView | PageView;

export interface PageDrawing {
  readonly place: Place;
  readonly state: ViewState;
  readonly size: Size;
  readonly theme: Theme;
}

export interface Column<Row> {
  readonly key: string;
  readonly header: string;
  readonly align?: 'left' | 'right';
  /** As people read it; `now` is the time of the picture. */
  text(row: Row, nowAt: string): string;
  tone?(row: Row): Tone;
  /** What it is sorted by. */
  value(row: Row): unknown;
  /** It may not become wider. */
  readonly widthMax?: number;
  /** When there is no room, those with the greatest number go first; 0 stays. */
  readonly yields: number;
}

/** Declares a table with the type of its rows; the registry of views does not know it. */
export function defineTable<Row>(
  table: Omit<TableView, 'kind' | 'columns' | 'rows' | 'keyOf' | 'open' | 'actions'> & {
    readonly columns: readonly Column<Row>[];
    rows(picture: Picture): readonly Row[] | null;
    keyOf(row: Row): string;
    open?(row: Row): Place | null;
    actions?(row: Row, picture: Picture): Action[];
  },
): TableView {
  return { kind: 'table', ...(table as Omit<TableView, 'kind'>) };
}
