import type { HistoryEvent } from '../history-event.ts';
import { counted, Findings, type Law, type Verdict } from '../law.ts';

const mark = 'unexpected: ';

/**
 * What no fault of this world explains does not happen: no failure of our own, no document said to
 * have lost ops when the store keeps all, no way out of the world.
 */
export class NothingUnexpected implements Law {
  readonly name = 'nothing-unexpected';
  readonly promise = 'no node or peer reports what no fault explains';
  readonly #findings = new Findings();
  #seen = 0;

  observe(event: HistoryEvent): void {
    this.#seen += 1;
    if (event.ev !== 'note' || !event.text.startsWith(mark)) return;
    this.#findings.violated(event.text.slice(mark.length), event);
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict(): Verdict {
    return this.#findings.verdict(counted(this.#seen, 'event'), null);
  }
}
