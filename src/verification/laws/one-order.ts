import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, entryOf, Findings, type Law, type Verdict } from '../law.ts';

type Sighting = EventOf<'deliver'> | EventOf<'final.op'>;

/** Whoever sees a seq of a document sees the same op there. */
export class OneOrder implements Law {
  readonly name = 'one-order';
  readonly promise = 'all subscribers and the log have the same op at a seq';
  readonly #findings = new Findings();
  /** Who saw a seq first: document, seq. */
  readonly #first = new Map<string, Map<number, Sighting>>();

  observe(event: HistoryEvent): void {
    if (event.ev !== 'deliver' && event.ev !== 'final.op') return;
    const seen = entryOf(this.#first, event.doc, () => new Map<number, Sighting>());
    const first = seen.get(event.seq);
    if (first === undefined) {
      seen.set(event.seq, event);
      return;
    }
    this.#findings.checked += 1;
    if (first.opId === event.opId) return;
    this.#findings.violated(
      `seq ${event.seq} of ${event.doc} is ${first.opId} for ${whoOf(first)}, ${event.opId} for ${whoOf(event)}`,
      first,
      event,
    );
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict(): Verdict {
    const { checked } = this.#findings;
    return this.#findings.verdict(
      `${counted(checked, 'sighting')} compared`,
      checked === 0 ? 'no seq was seen by two' : null,
    );
  }
}

function whoOf(sighting: Sighting): string {
  return sighting.ev === 'deliver' ? sighting.subscriber : 'the log';
}
