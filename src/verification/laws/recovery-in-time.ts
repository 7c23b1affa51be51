import { formatDuration } from '../../foundation/duration.ts';
import type { HistoryEvent } from '../history-event.ts';
import { counted, Findings, type HistoryEnd, type Law, type Verdict } from '../law.ts';
import { type RecoveryPeriod, type RecoveryWait, RecoveryWatch } from '../recovery-watch.ts';

/** After a fault, ops of every document under load are soon acknowledged again. */
export class RecoveryInTime implements Law {
  readonly name = 'recovery-in-time';
  readonly promise = 'after a fault, ops are soon acknowledged again';
  readonly #budgetMs: number;
  readonly #findings = new Findings();
  /** Documents that were too late, and after which fault. */
  readonly #late = new Map<string, RecoveryPeriod>();
  readonly #watch = new RecoveryWatch({
    waited: (wait) => this.#waited(wait),
    recovered: (doc, period) => {
      if (!this.#isLate(doc, period)) this.#findings.checked += 1;
    },
    unrecovered: (doc, period) => {
      if (!this.#isLate(doc, period)) this.#open += 1;
    },
  });
  #faults = 0;
  #open = 0;
  #worstMs = 0;

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  observe(event: HistoryEvent): void {
    if (event.ev === 'fault.start') this.#faults += 1;
    this.#watch.observe(event);
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict({ atMs }: HistoryEnd): Verdict {
    this.#open = 0;
    this.#watch.end(atMs);
    const { checked } = this.#findings;
    const none = this.#faults === 0 ? 'no fault was injected' : 'no load met a fault';
    const late = `${counted(this.#open, 'document')} had not recovered when the history ended`;
    return this.#findings.verdict(
      `${counted(checked, 'recovery', 'recoveries')}, the slowest in ${formatDuration(this.#worstMs)}`,
      this.#open > 0 ? late : checked === 0 ? none : null,
    );
  }

  #isLate(doc: string, period: RecoveryPeriod): boolean {
    return this.#late.get(doc) === period;
  }

  #waited({ doc, period, waitedMs, invoke, event }: RecoveryWait): void {
    this.#worstMs = Math.max(this.#worstMs, waitedMs);
    if (waitedMs <= this.#budgetMs || this.#isLate(doc, period)) return;
    this.#late.set(doc, period);
    this.#findings.checked += 1;
    this.#findings.violated(
      `${doc} was out for ${formatDuration(waitedMs)}, with a budget of ${formatDuration(this.#budgetMs)}`,
      period.fault,
      invoke,
      event,
    );
  }
}
