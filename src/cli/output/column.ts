import type { Style } from './styled-text.ts';

/** One column of a listing. `key` is the key in JSON and the header of CSV. */
export interface Column<Row> {
  readonly key: keyof Row & string;
  /** The header of the table, in capitals. */
  readonly header: string;
  /** The cell for people; the value of the key when absent. `now` is wall time in ms. */
  readonly text?: (row: Row, nowMs: number) => string;
  readonly style?: (row: Row) => Style | null;
  readonly align?: 'left' | 'right';
  /** Shown by `-o wide` only. */
  readonly wide?: boolean;
  /** Cells longer than this are cut, with an ellipsis. */
  readonly lengthMax?: number;
}

export interface Listing<Row> {
  /** The plural: the key of the array in JSON, as `nodes`. */
  readonly noun: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: Iterable<Row> | AsyncIterable<Row>;
  /** What to say, on standard error, when there are none. */
  readonly empty?: string;
}
