import { type PulseEvent, pulseEvents } from '../../operations/watch/pulse-events.ts';
import type { PulseReport, TrendPoint } from '../../operations/watch/pulse-report.ts';

/** Five minutes of whole pictures at one a second, and curves twice as long. */
const reportsKept = 300;
const trendKept = 600;
const eventsKept = 2_000;

/** The last looks at a cluster, in bounded memory. A look keeps its number when older ones go. */
export class History {
  #reports: PulseReport[] = [];
  #first = 0;
  #trend: TrendPoint[] = [];
  #events: PulseEvent[] = [];

  push(report: PulseReport): void {
    this.#events = [...this.#events, ...pulseEvents(this.last, report)].slice(-eventsKept);
    this.#trend = [...this.#trend, { at: report.at, totals: report.totals }].slice(-trendKept);
    this.#reports.push(report);
    if (this.#reports.length <= reportsKept) return;
    this.#reports.shift();
    this.#first += 1;
  }

  /** Adds what no look could see: the loss of the broker, what somebody did. */
  tell(event: PulseEvent): void {
    this.#events = [...this.#events, event].slice(-eventsKept);
  }

  get last(): PulseReport | null {
    return this.#reports.at(-1) ?? null;
  }

  get firstNumber(): number {
    return this.#first;
  }

  get lastNumber(): number {
    return this.#first + this.#reports.length - 1;
  }

  /** The nearest that is still known. */
  at(number: number): PulseReport | null {
    const last = this.#reports.length - 1;
    return this.#reports[Math.max(0, Math.min(last, number - this.#first))] ?? null;
  }

  times(): string[] {
    return this.#reports.map(({ at }) => at);
  }

  trendUntil(at: string): readonly TrendPoint[] {
    return this.#trend.at(-1)?.at === at
      ? this.#trend
      : this.#trend.filter((each) => each.at <= at);
  }

  eventsUntil(at: string | null): readonly PulseEvent[] {
    return at === null ? this.#events : this.#events.filter((each) => each.at <= at);
  }
}
