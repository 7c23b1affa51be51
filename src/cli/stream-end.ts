import { parseDurationMs } from '../foundation/duration.ts';
import { parseRowFilter, type RowFilter } from '../operations/inspect/row-filter.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import { option } from './parameters.ts';
import { parseCount } from './parse-values.ts';

/** The options that end a stream; spread them into the options of a command. */
export const streamEndOptions = {
  count: option('-n, --count <N>', 'end after this many lines', parseCount),
  wait: option('--wait <DURATION>', 'end after this long', parseDurationMs),
  until: option('--until <EXPR>', 'end after a line such as seq>=10 or type=lease', parseUntil),
};

export interface StreamEndValues {
  readonly count: number | undefined;
  readonly wait: number | undefined;
  readonly until: RowFilter | undefined;
}

/** `type==lease && nodeId==a` as well as `type=lease`: people write both. */
export function parseUntil(text: string): RowFilter {
  const conditions = text.split('&&').map((each) => each.replace(/^([^=<>!~]*)==/, '$1='));
  return parseRowFilter(conditions.join('&&'));
}

/** Decides when a stream has given what was asked for, and aborts its signal then. */
export class StreamEnd {
  readonly signal: AbortSignal;
  readonly #ending = new AbortController();
  readonly #values: StreamEndValues;
  readonly #timer: Timer | null;
  #seen = 0;

  constructor(values: StreamEndValues, clock: Clock, signal: AbortSignal) {
    this.#values = values;
    this.signal = AbortSignal.any([signal, this.#ending.signal]);
    this.#timer =
      values.wait === undefined ? null : clock.after(values.wait, () => this.#ending.abort());
    if (values.count === 0) this.#ending.abort();
  }

  /** Counts a line that was printed; true when it was the last. */
  saw(line: object): boolean {
    this.#seen += 1;
    const { count, until } = this.#values;
    if (this.#seen >= (count ?? Number.POSITIVE_INFINITY) || until?.(line)) this.#ending.abort();
    return this.signal.aborted;
  }

  /** Stops the timer of `--wait`. */
  close(): void {
    this.#timer?.cancel();
  }
}
