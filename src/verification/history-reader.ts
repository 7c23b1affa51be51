import { BackplaneError } from '../foundation/errors.ts';
import { faultOf } from './event-shapes.ts';
import type { HistoryEvent } from './history-event.ts';

/** A line is one event; a view of ten thousand peers fits. */
const lineLengthMax = 16_777_216;

const unitsPerMs: Readonly<Record<string, number>> = { ms: 1, us: 1_000, ns: 1_000_000 };

/**
 * Reads a history as it comes in, a piece at a time, keeping no more than one line. Whatever is not
 * a whole, ordered history fails with HISTORY_INVALID and the number of the line.
 */
export class HistoryReader {
  readonly #name: string;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #rest = '';
  #line = 0;
  #unitsPerMs = 1;
  #lastTime = Number.NEGATIVE_INFINITY;
  #startMs: number | null = null;
  #events = 0;
  #ended = false;

  /** The name is that of the file, for messages. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Events read so far. */
  get events(): number {
    return this.#events;
  }

  /** The time of the first line that has one. */
  get startMs(): number {
    return this.#startMs ?? 0;
  }

  /** The time read last. */
  get endMs(): number {
    return this.#startMs === null ? 0 : this.#lastTime / this.#unitsPerMs;
  }

  /** Takes a piece of the file; answers the events that it completes. */
  push(piece: Uint8Array): HistoryEvent[] {
    const lines = (this.#rest + this.#text(piece)).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > lineLengthMax) {
      this.#line += lines.length + 1;
      this.#fail(`the line is longer than ${lineLengthMax} characters`);
    }
    const events: HistoryEvent[] = [];
    for (const line of lines) {
      this.#line += 1;
      const event = this.#read(line);
      if (event !== null) events.push(event);
    }
    return events;
  }

  /** The file ends here: fails unless the history does, too. */
  end(): void {
    if (this.#line === 0 && this.#rest === '') this.#fail('it is empty');
    if (this.#rest !== '') {
      this.#line += 1;
      const event = this.#read(this.#rest);
      this.#rest = '';
      if (event !== null) this.#fail('it is cut off behind this line: there is no end');
    }
    if (!this.#ended) this.#fail('it is cut off behind this line: there is no end');
  }

  #text(piece: Uint8Array): string {
    try {
      return this.#decoder.decode(piece, { stream: true });
    } catch (cause) {
      this.#fail('behind this line it is not UTF-8', cause);
    }
  }

  /** One line as an event; null for the first and the last, which frame them. */
  #read(text: string): HistoryEvent | null {
    if (this.#ended) {
      if (text.trim() === '') return null;
      this.#fail('something stands behind the end');
    }
    const value = this.#parse(text);
    if (this.#line === 1) return this.#readHeader(value);
    const time = value.t;
    if (typeof time !== 'number' || !Number.isFinite(time)) this.#fail('t must be a number');
    if (time < this.#lastTime) {
      this.#fail(`the time goes back from ${this.#lastTime} to ${time}`);
    }
    this.#lastTime = time;
    const atMs = time / this.#unitsPerMs;
    this.#startMs ??= atMs;
    if (value.ev === 'end') return this.#readEnd(value);
    const fault = faultOf(value);
    if (fault !== null) this.#fail(fault);
    this.#events += 1;
    value.line = this.#line;
    value.atMs = atMs;
    return value as unknown as HistoryEvent;
  }

  #parse(text: string): Record<string, unknown> {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      this.#fail(this.#line === 1 ? 'it is not a history' : 'the line is not JSON');
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
    return this.#fail('the line is not a JSON object');
  }

  #readHeader({ v, kind, unit }: Record<string, unknown>): null {
    if (kind !== 'history') this.#fail('it is not a history: "kind" is not "history"');
    if (v !== 1) this.#fail(`it has version ${JSON.stringify(v)}; this program reads 1`);
    const perMs = typeof unit === 'string' ? unitsPerMs[unit] : undefined;
    if (perMs === undefined) return this.#fail('unit must be one of ms, us, ns');
    this.#unitsPerMs = perMs;
    return null;
  }

  #readEnd({ events }: Record<string, unknown>): null {
    if (events !== this.#events) {
      this.#fail(`it says ${JSON.stringify(events)} events, and has ${this.#events}`);
    }
    this.#ended = true;
    return null;
  }

  #fail(what: string, cause?: unknown): never {
    const place = this.#line === 0 ? '' : `, line ${this.#line}`;
    const facts = { line: this.#line };
    throw new BackplaneError('HISTORY_INVALID', `${this.#name}${place}: ${what}`, { cause, facts });
  }
}
