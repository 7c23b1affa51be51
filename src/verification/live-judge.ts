import type { Budgets } from './budgets.ts';
import type { HistoryEvent, Recordable } from './history-event.ts';
import type { Law } from './law.ts';
import { lawsOf } from './law-book.ts';

export interface LawViolations {
  readonly law: string;
  readonly count: number;
}

/**
 * Judges a history while it is made, to show what went wrong so far. The verdict is that of the
 * file: some violations show only when the history is over.
 */
export class LiveJudge {
  readonly #laws: readonly Law[];
  /** The header is line 1. */
  #line = 1;

  constructor(budgets: Budgets) {
    this.#laws = lawsOf(budgets);
  }

  observe(event: Recordable, atMs: number): void {
    this.#line += 1;
    const observed = { ...event, line: this.#line, atMs } as HistoryEvent;
    for (const law of this.#laws) law.observe(observed);
  }

  /** The laws that are violated, in the order of reports. */
  violations(): LawViolations[] {
    return this.#laws.flatMap(({ name, violations }) =>
      violations > 0 ? [{ law: name, count: violations }] : [],
    );
  }
}
