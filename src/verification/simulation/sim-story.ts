import type { LogFacts, LogLevel } from '../../ports/logger.ts';
import type { HistoryEvent } from '../history-event.ts';

/** A run as a log that people can read: one line for each event and for each line of a node's log. */
export class SimStory {
  readonly lines: string[] = [];

  event({ line: _, atMs, ev, ...fields }: HistoryEvent): void {
    const text = Object.entries(fields)
      .map(
        ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      )
      .join(' ');
    this.lines.push(`${timeText(atMs)}  ${ev.padEnd(18)} ${text}`);
  }

  logged(atMs: number, machine: string, level: LogLevel, name: string, facts: LogFacts): void {
    const text = Object.entries(facts)
      .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(' ');
    this.lines.push(`${timeText(atMs)}    ${machine} ${level} ${name} ${text}`);
  }
}

function timeText(atMs: number): string {
  return `${(atMs / 1_000).toFixed(3).padStart(10)}s`;
}
