/**
 * What happened, for operators: one event with a stable name and JSON-safe facts. Never payloads,
 * never secrets.
 *
 * Law, a test in `test/conformance/logger.ts`: one event is one line whatever the facts hold.
 */
export interface Logger {
  event(level: LogLevel, name: string, facts?: LogFacts): void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFacts = Readonly<Record<string, unknown>>;

export const silentLogger: Logger = { event() {} };
