import type { Writable } from 'node:stream';
import { isoTime } from '../../foundation/iso-time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LogFacts, Logger, LogLevel } from '../../ports/logger.ts';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** A log nobody reads must not eat the memory of the node. */
const bufferedBytesMax = 4_194_304;

export interface JsonLoggerOptions {
  readonly out: Writable;
  readonly clock: Clock;
  /** Events below it are dropped. */
  readonly level: LogLevel;
}

/**
 * Events as NDJSON: `{"at", "level", "event", ...facts}`, one line each, with every character that
 * a terminal could act on escaped. It never throws; when its reader is too slow it drops events and
 * says how many.
 */
export class JsonLogger implements Logger {
  readonly #out: Writable;
  readonly #clock: Clock;
  readonly #levelMin: number;
  #dropped = 0;

  constructor(options: JsonLoggerOptions) {
    this.#out = options.out;
    this.#clock = options.clock;
    this.#levelMin = levels.indexOf(options.level);
  }

  event(level: LogLevel, name: string, facts: LogFacts = {}): void {
    if (levels.indexOf(level) < this.#levelMin) return;
    if (this.#out.writableLength > bufferedBytesMax) {
      this.#dropped += 1;
      return;
    }
    if (this.#dropped > 0) {
      const dropped = this.#dropped;
      this.#dropped = 0;
      this.#write('warn', 'log.dropped', { events: dropped });
    }
    this.#write(level, name, facts);
  }

  #write(level: LogLevel, name: string, facts: LogFacts): void {
    const head = { at: isoTime(this.#clock.wallMs()), level, event: name };
    // Facts may not pass themselves off as the head, nor take its place at the front.
    this.#out.write(`${asLine({ ...head, ...facts, ...head })}\n`);
  }
}

function asLine(entry: Readonly<Record<string, unknown>>): string {
  let json: string;
  try {
    json = JSON.stringify(entry, writable);
  } catch {
    // A circle, or a toJSON that throws: the event matters more than the fact.
    json = JSON.stringify(Object.fromEntries(Object.entries(entry).map(asText)));
  }
  return json.replace(rawInJson, escapeUnits);
}

function writable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Error) return { name: value.name, message: value.message };
  return value;
}

function asText([key, value]: [string, unknown]): [string, string] {
  try {
    return [key, typeof value === 'string' ? value : (JSON.stringify(value, writable) ?? '')];
  } catch {
    return [key, 'cannot be written'];
  }
}

/** What JSON leaves raw and a terminal may act on: C1 controls, separators, directions, zero width. */
const rawInJson =
  /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

function escapeUnits(character: string): string {
  let escaped = '';
  for (let at = 0; at < character.length; at += 1) {
    escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
  }
  return escaped;
}
