import type { Writable } from 'node:stream';
import { isoTime } from '../../foundation/iso-time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LogFacts, Logger, LogLevel } from '../../ports/logger.ts';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** One event, one line of JSON in ASCII: no fact can start a second line or move a cursor. */
export class JsonLogger implements Logger {
  readonly #out: Writable;
  readonly #clock: Clock;
  readonly #least: LogLevel;

  constructor(out: Writable, clock: Clock, least: LogLevel = 'info') {
    this.#out = out;
    this.#clock = clock;
    this.#least = least;
  }

  event(level: LogLevel, name: string, facts: LogFacts = {}): void {
    if (levels.indexOf(level) < levels.indexOf(this.#least)) return;
    const at = isoTime(this.#clock.wallMs());
    const line = JSON.stringify({ at, level, name, ...facts });
    this.#out.write(`${ascii(line)}\n`);
  }
}

function ascii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
