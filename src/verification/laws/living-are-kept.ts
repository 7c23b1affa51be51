import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, Findings, type Law, type Verdict } from '../law.ts';

/** Whoever ends a session knows its last sign of life: nobody is given up who has just shown one. */
export class LivingAreKept implements Law {
  readonly name = 'living-are-kept';
  readonly promise = 'no session is given up that was renewed since it was looked at';
  readonly #findings = new Findings();
  readonly #beats = new Map<string, EventOf<'session.beat'>>();

  observe(event: HistoryEvent): void {
    if (event.ev === 'session.beat') this.#beats.set(event.session, event);
    else if (event.ev === 'session.gone') this.#gone(event);
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict(): Verdict {
    const { checked } = this.#findings;
    return this.#findings.verdict(
      `${counted(checked, 'session')} ended by somebody`,
      checked === 0 ? 'no session was ended on the word of a beat' : null,
    );
  }

  #gone(gone: EventOf<'session.gone'>): void {
    const last = this.#beats.get(gone.session);
    this.#beats.delete(gone.session);
    if (typeof gone.seenBeat !== 'number' || gone.certainty === 'indefinite') return;
    this.#findings.checked += 1;
    if (last === undefined || last.beat <= gone.seenBeat) return;
    this.#findings.violated(
      `${gone.session} was given up at beat ${gone.seenBeat}, and had been renewed with beat ${last.beat}`,
      last,
      gone,
    );
  }
}
