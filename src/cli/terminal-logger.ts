import { isoTime } from '../foundation/iso-time.ts';
import { safeText } from '../foundation/safe-text.ts';
import type { Clock } from '../ports/clock.ts';
import type { LogFacts, Logger, LogLevel } from '../ports/logger.ts';
import { safeJson } from './output/safe-json.ts';
import { paint, type Style } from './output/styled-text.ts';
import { type Redactor, redactStrings } from './redactor.ts';
import type { Terminal } from './terminal.ts';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const styles: Record<LogLevel, Style> = {
  debug: 'dim',
  info: 'good',
  warn: 'warning',
  error: 'bad',
};

export interface TerminalLoggerOptions {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly redact: Redactor;
  readonly colour: boolean;
  /** One JSON object a line instead of a line for people. */
  readonly json: boolean;
  /** Less important events are dropped. */
  readonly level: LogLevel;
}

/** Events as lines on standard error. One event is one line, whatever its facts hold. */
export function createTerminalLogger(options: TerminalLoggerOptions): Logger {
  const { terminal, clock, redact, colour, json } = options;
  const levelMin = levels.indexOf(options.level);
  return {
    event(level, name, facts = {}) {
      if (levels.indexOf(level) < levelMin) return;
      const at = isoTime(clock.wallMs()) ?? '';
      const told = redactStrings(facts, redact);
      const line = json
        ? safeJson({ at, level, event: name, ...told })
        : `${at.slice(11, 23)} ${paint(level.padEnd(5), styles[level], colour)} ${asWords(name, told)}`;
      void terminal.err.write(`${redact(line)}\n`);
    },
  };
}

function asWords(name: string, facts: LogFacts): string {
  const words = Object.entries(facts).map(([key, value]) => `${key}=${asWord(value)}`);
  return safeText([name, ...words].join(' '));
}

function asWord(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value;
  return JSON.stringify(value) ?? 'null';
}
