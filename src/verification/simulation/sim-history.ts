import { createHash, type Hash } from 'node:crypto';
import type { HistoryEvent } from '../history-event.ts';
import type { Law } from '../law.ts';
import type { Timeline } from './timeline.ts';

type WithoutPlace<Event> = Event extends unknown ? Omit<Event, 'line' | 'atMs'> : never;
/** An event before it has its place in the history. */
export type SimEvent = WithoutPlace<HistoryEvent>;

export interface SimHistoryOptions {
  /** Told of every event: to print a trace. */
  readonly trace?: ((event: HistoryEvent) => void) | undefined;
  /** Whether to tell two histories apart by their hash: it costs a tenth of a run. */
  readonly hashed: boolean;
}

/** What happened in a world, in order; hands every event to the laws at once and keeps none. */
export class SimHistory {
  readonly laws: readonly Law[];
  readonly #timeline: Timeline;
  readonly #options: SimHistoryOptions;
  readonly #hash: Hash | null;
  #line = 0;
  acknowledged = 0;

  constructor(timeline: Timeline, laws: readonly Law[], options: SimHistoryOptions) {
    this.#timeline = timeline;
    this.laws = laws;
    this.#options = options;
    this.#hash = options.hashed ? createHash('sha256') : null;
  }

  get events(): number {
    return this.#line;
  }

  record(event: SimEvent): void {
    this.#line += 1;
    const placed = { line: this.#line, atMs: this.#timeline.nowMs, ...event } as HistoryEvent;
    if (event.ev === 'op.ok') this.acknowledged += 1;
    this.#hash?.update(JSON.stringify(placed));
    this.#options.trace?.(placed);
    for (const law of this.laws) law.observe(placed);
  }

  /** The same for two runs exactly when their histories are. */
  digest(): string | null {
    return this.#hash?.copy().digest('hex').slice(0, 32) ?? null;
  }
}
