import { csvLine } from './csv-line.ts';
import { safeJson } from './safe-json.ts';
import { type Line, renderLine } from './styled-text.ts';

export interface StreamShape<Event> {
  /** The plural: the key of the array with `-o json`. */
  readonly noun: string;
  /** For people; an event that tells them nothing new has none. */
  readonly asLines: (event: Event) => readonly Line[];
  /** The columns of CSV. */
  readonly keys: readonly KeyOf<Event>[];
}

/** The keys of every member of a union. */
type KeyOf<Event> = Event extends unknown ? keyof Event & string : never;

export interface LineStreamOptions {
  readonly format: string;
  readonly colour: boolean;
  readonly write: (text: string) => Promise<void>;
}

/** Events as they come, each written before the next is taken. `end` closes a JSON document. */
export class LineStream<Event extends object> {
  readonly #shape: StreamShape<Event>;
  readonly #options: LineStreamOptions;
  #count = 0;

  constructor(shape: StreamShape<Event>, options: LineStreamOptions) {
    this.#shape = shape;
    this.#options = options;
  }

  async write(event: Event): Promise<void> {
    const head = this.#count === 0 ? this.#head() : '';
    const text = head + this.#one(event);
    this.#count += 1;
    await this.#options.write(text);
  }

  async end(): Promise<void> {
    const head = this.#count === 0 ? this.#head() : '';
    if (this.#options.format === 'json') await this.#options.write(`${head}\n]}\n`);
    else if (head !== '') await this.#options.write(head);
  }

  #head(): string {
    if (this.#options.format === 'json') {
      return `{"schemaVersion":1,${JSON.stringify(this.#shape.noun)}:[`;
    }
    return this.#options.format === 'csv' ? csvLine(this.#shape.keys) : '';
  }

  #one(event: Event): string {
    switch (this.#options.format) {
      case 'json':
        return `${this.#count === 0 ? '\n' : ',\n'}${safeJson(event)}`;
      case 'jsonl':
        return `${safeJson(event)}\n`;
      case 'csv':
        return csvLine(this.#shape.keys.map((key) => (event as Record<string, unknown>)[key]));
      default:
        return this.#shape
          .asLines(event)
          .map((line) => `${renderLine(line, this.#options.colour)}\n`)
          .join('');
    }
  }
}
