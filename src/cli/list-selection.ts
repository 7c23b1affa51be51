import { parseDurationMs } from '../foundation/duration.ts';
import { BackplaneError } from '../foundation/errors.ts';
import { parseRowFilter, type RowFilter } from '../operations/inspect/row-filter.ts';
import { parseRowOrder, type RowOrder } from '../operations/inspect/row-order.ts';
import { sleep } from '../ports/clock.ts';
import type { CommandContext } from './context.ts';
import type { Column } from './output/column.ts';
import { option, optionList } from './parameters.ts';

/** Sorting holds every row in memory; a listing without it holds none. */
const rowsSortedMax = 250_000;
const watchMs = 2_000;

/** A listing before anybody chose from it. `rows` is called once for each time it is shown. */
export interface Selectable<Row> {
  readonly noun: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: () => AsyncIterable<readonly Row[]>;
  readonly empty?: string;
}

export interface Selection {
  readonly filter: readonly RowFilter[];
  readonly sort: RowOrder | undefined;
  readonly watch: number | undefined;
}

/** The options that choose rows and their order; spread them into the options of a listing. */
export function selectionOptions<Row>(columns: readonly Column<Row>[]) {
  const keys = columns.map(({ key }) => key);
  return {
    filter: optionList(
      '--filter <EXPR>',
      `only rows such as ${keys[0]}=VALUE, ${keys[0]}~PATTERN* or NUMBER>5; && joins, several must all hold`,
      (text) => parseRowFilter(text, keys),
    ),
    sort: option(
      '--sort <COLUMN>',
      `by one or more of ${keys.join(', ')}; -COLUMN for the greatest first`,
      (text) => parseRowOrder(text, keys),
      { completes: keys },
    ),
    watch: option('--watch [DURATION]', 'show it again and again (default: every 2s)', readPause, {
      bare: watchMs,
    }),
  };
}

/** Prints what was chosen, once or until interrupted. */
export async function printSelected<Row extends object>(
  context: CommandContext,
  listing: Selectable<Row>,
  selection: Selection,
): Promise<void> {
  for (;;) {
    const { columns, noun, empty } = listing;
    const rows = select(listing.rows(), selection);
    await context.print.listing({ noun, columns, rows, ...(empty ? { empty } : {}) });
    if (selection.watch === undefined || context.signal.aborted) return;
    await sleep(context.clock, selection.watch, context.signal);
    if (context.signal.aborted) return;
    await separate(context);
  }
}

async function* select<Row extends object>(
  pages: AsyncIterable<readonly Row[]>,
  { filter, sort }: Selection,
): AsyncGenerator<Row> {
  const held: Row[] = [];
  for await (const page of pages) {
    for (const row of page) {
      if (!filter.every((accepts) => accepts(row))) continue;
      if (sort === undefined) yield row;
      else if (held.push(row) > rowsSortedMax) throw tooMany();
    }
  }
  if (sort !== undefined) yield* held.sort(sort);
}

/** On a terminal the next round takes the place of the last; elsewhere a blank line parts them. */
async function separate(context: CommandContext): Promise<void> {
  if (context.print.forPrograms) return;
  await context.print.text(context.terminal.isInteractive ? '\u001b[H\u001b[2J\u001b[3J' : '\n');
}

function readPause(text: string): number {
  const pauseMs = parseDurationMs(text);
  if (pauseMs >= 100) return pauseMs;
  throw new BackplaneError('USAGE', `${text} is too often`, { remedy: 'use 100ms or more' });
}

function tooMany(): BackplaneError {
  return new BackplaneError('OVERLOADED', `more than ${rowsSortedMax} rows cannot be sorted`, {
    remedy: 'choose fewer with --filter, or leave --sort out and use sort(1)',
  });
}
