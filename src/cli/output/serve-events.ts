import { isoTime } from '../../foundation/iso-time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LogFacts, Logger, LogLevel } from '../../ports/logger.ts';
import { eventText } from './event-text.ts';
import { fieldLines, type Line } from './styled-text.ts';

/** A line of `serve`. The first is `ready`; its keys are public. */
export type ServeEvent =
  | {
      readonly type: 'ready';
      readonly nodeId: string;
      readonly session: string;
      readonly url: string;
      readonly address: string | null;
      readonly pid: number;
      readonly store: string;
      readonly notices: readonly string[];
    }
  | { readonly type: 'draining' | 'stopped'; readonly nodeId: string }
  | {
      readonly type: 'event';
      readonly name: string;
      readonly level: LogLevel;
      readonly at: string | null;
      readonly facts: LogFacts;
    };

const queuedMax = 1_000;

/**
 * The events of a node on their way to standard output. Those from before `ready` wait, because
 * programs rely on `ready` being first.
 */
export class ServeEvents implements Logger {
  readonly #debug: Logger;
  #queue: { level: LogLevel; name: string; facts: LogFacts }[] = [];
  #wake: (() => void) | null = null;

  constructor(debug: Logger) {
    this.#debug = debug;
  }

  event(level: LogLevel, name: string, facts: LogFacts = {}): void {
    if (level === 'debug') return this.#debug.event(level, name, facts);
    if (this.#queue.length >= queuedMax) this.#queue.shift();
    this.#queue.push({ level, name, facts });
    this.#wake?.();
  }

  /** What the user should know about this set-up. */
  notice(text: string): void {
    this.event('warn', 'notice', { text });
  }

  /** Writes events as they come, until the signal. */
  async forwardTo(
    write: (event: ServeEvent) => Promise<void>,
    signal: AbortSignal,
    clock: Clock,
  ): Promise<void> {
    const wake = () => this.#wake?.();
    signal.addEventListener('abort', wake);
    while (!signal.aborted) {
      const next = this.#queue.shift();
      if (next) await write({ type: 'event', ...next, at: isoTime(clock.wallMs()) });
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
    signal.removeEventListener('abort', wake);
  }
}

/** The event for people. */
export function eventLines(event: ServeEvent): Line[] {
  switch (event.type) {
    case 'ready': {
      const { nodeId, address, url, store, pid } = event;
      return [
        [
          { text: nodeId, style: 'bold' },
          { text: ' is ready', style: 'good' },
          address === null ? '' : ` at ${address}`,
        ],
        ...fieldLines([
          ['  broker', url],
          ['  store', store],
          ['  process', pid],
        ]),
      ];
    }
    case 'draining':
      return [[{ text: `${event.nodeId} hands its documents over and stops`, style: 'dim' }]];
    case 'stopped':
      return [[{ text: `${event.nodeId} has stopped`, style: 'dim' }]];
    case 'event': {
      const text = eventText(event.name, event.facts);
      if (text === null) return [];
      const time = event.at === null ? '' : `${event.at.slice(11, 19)}  `;
      const style = event.level === 'warn' ? 'warning' : event.level === 'error' ? 'bad' : null;
      return [[{ text: time, style: 'dim' }, style === null ? text : { text, style }]];
    }
  }
}
