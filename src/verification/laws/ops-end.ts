import { formatDuration } from '../../foundation/duration.ts';
import { FaultWatch } from '../fault-watch.ts';
import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, entryOf, Findings, type HistoryEnd, type Law, type Verdict } from '../law.ts';

type Invoke = EventOf<'op.invoke'>;

/** Every op of every peer is answered, not only those of peers that are better off. */
export class OpsEnd implements Law {
  readonly name = 'ops-end';
  readonly promise = 'every op is soon acknowledged or refused, faults aside';
  readonly #budgetMs: number;
  readonly #findings = new Findings();
  readonly #faults = new FaultWatch();
  /** Document, opId. */
  readonly #pending = new Map<string, Map<string, Invoke>>();
  #worstMs = 0;

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  observe(event: HistoryEvent): void {
    // A fault would cover up who has waited for too long.
    if (event.ev === 'fault.start') this.#judgeAll(event.atMs, event);
    this.#faults.observe(event);
    if (event.ev === 'op.invoke') {
      const pending = entryOf(this.#pending, event.doc, () => new Map<string, Invoke>());
      if (!pending.has(event.opId)) pending.set(event.opId, event);
    } else if (event.ev === 'op.ok' || event.ev === 'op.fail') {
      const pending = this.#pending.get(event.doc);
      const invoke = pending?.get(event.opId);
      if (invoke === undefined) return;
      pending?.delete(event.opId);
      if (this.#isLate(invoke, event.atMs, event)) return;
      this.#findings.checked += 1;
      this.#worstMs = Math.max(this.#worstMs, this.#waitedMs(invoke, event.atMs));
    }
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict({ atMs }: HistoryEnd): Verdict {
    const open = this.#judgeAll(atMs, null);
    const { checked } = this.#findings;
    const ended = `${counted(checked, 'op')} answered, the slowest in ${formatDuration(this.#worstMs)} without a fault`;
    return this.#findings.verdict(
      open === 0 ? ended : `${ended}, ${open} still had time`,
      checked === 0 ? 'no op was answered' : null,
    );
  }

  /** How many still have time. */
  #judgeAll(atMs: number, event: HistoryEvent | null): number {
    let open = 0;
    for (const pending of this.#pending.values()) {
      for (const [opId, invoke] of pending) {
        if (this.#isLate(invoke, atMs, event)) pending.delete(opId);
        else open += 1;
      }
    }
    return open;
  }

  #isLate(invoke: Invoke, atMs: number, event: HistoryEvent | null): boolean {
    const waitedMs = this.#waitedMs(invoke, atMs);
    if (waitedMs <= this.#budgetMs) return false;
    this.#findings.checked += 1;
    const { opId, doc } = invoke;
    const waited = formatDuration(waitedMs);
    this.#findings.violated(`${opId} of ${doc} had no answer for ${waited}`, invoke, event);
    return true;
  }

  #waitedMs({ atMs: sinceMs }: Invoke, atMs: number): number {
    const { quietSinceMs } = this.#faults;
    return quietSinceMs === null ? 0 : atMs - Math.max(sinceMs, quietSinceMs);
  }
}
