import { BackplaneError } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OutputFormat } from '../global-options.ts';
import type { Terminal } from '../terminal.ts';
import type { Listing } from './column.ts';
import { csvLine } from './csv-line.ts';
import { inPages } from './in-pages.ts';
import { LineStream, type StreamShape } from './line-stream.ts';
import { safeJson } from './safe-json.ts';
import { type Line, renderLine } from './styled-text.ts';

export interface PrinterOptions {
  readonly terminal: Terminal;
  readonly format: OutputFormat;
  readonly colour: boolean;
  /** Whether standard error is coloured. */
  readonly errColour: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called before anything is printed. */
  readonly beforePrinting?: () => void;
}

export const schemaVersion = 1;
/** Rows that decide the widths of a table, and that are written at once. */
const pageRows = 256;

/**
 * The only way to standard output. Results in the format of `-o`, in constant memory, harmless to
 * the terminal; a slow reader slows the writer, a reader that left ends it.
 */
export class Printer {
  readonly format: OutputFormat;
  readonly #options: PrinterOptions;

  constructor(options: PrinterOptions) {
    this.#options = options;
    this.format = options.format;
  }

  /** True when the output is for a program: no relative times, no prose. */
  get forPrograms(): boolean {
    return this.format !== 'table' && this.format !== 'wide';
  }

  /** Prints rows; answers how many. */
  async listing<Row extends object>(listing: Listing<Row>): Promise<number> {
    switch (this.format) {
      case 'json':
        return this.#jsonListing(listing);
      case 'jsonl':
        return this.#pages(listing, (rows) => rows.map((row) => `${safeJson(row)}\n`).join(''));
      case 'csv':
        return this.#csvListing(listing);
      case 'yaml':
        return this.#yamlListing(listing);
      default:
        return this.#tableListing(listing);
    }
  }

  /** Prints one object: `asLines` for people, the report itself with its version for programs. */
  async report<Report extends object>(
    report: Report,
    asLines: (report: Report, nowMs: number) => readonly Line[],
  ): Promise<void> {
    const document = { schemaVersion, ...report };
    if (this.format === 'json') await this.#write(`${safeJson(document, 2)}\n`);
    else if (this.format === 'jsonl') await this.#write(`${safeJson(document)}\n`);
    else if (this.format === 'yaml') await this.#write(await yamlOf(document));
    else if (this.format === 'csv') {
      throw new BackplaneError('USAGE', '-o csv is for listings', { remedy: 'use -o json' });
    } else await this.lines(asLines(report, this.#options.clock.wallMs()));
  }

  /** Opens a stream of events; `json` makes one document of them, `jsonl` a line of each. */
  stream<Event extends object>(shape: StreamShape<Event>): LineStream<Event> {
    return new LineStream(shape, {
      format: this.format,
      colour: this.#options.colour,
      write: (text) => this.#write(text),
    });
  }

  /** Lines for people. */
  async lines(lines: readonly Line[]): Promise<void> {
    await this.#write(lines.map((line) => `${renderLine(line, this.#options.colour)}\n`).join(''));
  }

  /** Text that is our own: a script, a man page. */
  async text(text: string): Promise<void> {
    await this.#write(text);
  }

  /** A remark about the result, on standard error. */
  async note(line: Line): Promise<void> {
    this.#options.beforePrinting?.();
    await this.#options.terminal.err.write(`${renderLine(line, this.#options.errColour)}\n`);
  }

  #write(text: string): Promise<void> {
    this.#options.beforePrinting?.();
    return this.#options.terminal.out.write(text);
  }

  async #pages<Row>(listing: Listing<Row>, asText: (rows: Row[]) => string): Promise<number> {
    let count = 0;
    for await (const rows of inPages(listing.rows, pageRows, this.#options.signal)) {
      await this.#write(asText(rows));
      count += rows.length;
    }
    return count;
  }

  async #tableListing<Row>(listing: Listing<Row>): Promise<number> {
    // string-width is only worth loading for a table.
    const { Table } = await import('./table.ts');
    const table = new Table(listing.columns, {
      wide: this.format === 'wide',
      colour: this.#options.colour,
      nowMs: this.#options.clock.wallMs(),
    });
    const count = await this.#pages(listing, (rows) => table.page(rows));
    if (count === 0) await this.note(listing.empty ?? `no ${listing.noun}`);
    return count;
  }

  async #jsonListing<Row>(listing: Listing<Row>): Promise<number> {
    // With the first rows and not before: a listing that fails at once prints no half document.
    const head = `{"schemaVersion":${schemaVersion},${JSON.stringify(listing.noun)}:[`;
    let begun = false;
    const count = await this.#pages(listing, (rows) => {
      const text = rows.map((row) => safeJson(row)).join(',\n');
      const start = begun ? ',\n' : `${head}\n`;
      begun = true;
      return start + text;
    });
    await this.#write(begun ? '\n]}\n' : `${head}]}\n`);
    return count;
  }

  async #csvListing<Row>(listing: Listing<Row>): Promise<number> {
    const keys = listing.columns.map((column) => column.key);
    let begun = false;
    const count = await this.#pages(listing, (rows) => {
      const head = begun ? '' : csvLine(keys);
      begun = true;
      return head + rows.map((row) => csvLine(keys.map((key) => row[key]))).join('');
    });
    if (!begun) await this.#write(csvLine(keys));
    return count;
  }

  async #yamlListing<Row extends object>(listing: Listing<Row>): Promise<number> {
    let begun = false;
    const head = `schemaVersion: ${schemaVersion}\n${listing.noun}:`;
    const { yamlItems } = await import('./yaml-text.ts');
    const count = await this.#pages(listing, (rows) => {
      const text = (begun ? '' : `${head}\n`) + yamlItems(rows);
      begun = true;
      return text;
    });
    if (count === 0) await this.#write(`${head} []\n`);
    return count;
  }
}

async function yamlOf(document: object): Promise<string> {
  const { yamlDocument } = await import('./yaml-text.ts');
  return yamlDocument(document);
}
