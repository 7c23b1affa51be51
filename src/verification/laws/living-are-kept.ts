import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, Findings, type Law, type Verdict } from '../law.ts';

/**
 * Whoever ends a session knows its last sign of life: nobody is given up who has just shown one. And
 * what a session holds is its own as long as it lives: nobody takes it away.
 */
export class LivingAreKept implements Law {
  readonly name = 'living-are-kept';
  readonly promise = 'no session is given up that was renewed since it was looked at';
  readonly #findings = new Findings();
  readonly #beats = new Map<string, EventOf<'session.beat'>>();
  readonly #alive = new Map<string, EventOf<'session.open'>>();
  /** Somebody may remember the death of these, whatever a broker that was put back says of them. */
  readonly #gone = new Set<string>();

  observe(event: HistoryEvent): void {
    if (event.ev === 'session.beat') this.#beats.set(event.session, event);
    else if (event.ev === 'session.gone') this.#ended(event);
    else if (event.ev === 'registration.add') this.#taken(event);
    else if (event.ev === 'session.open' && !this.#gone.has(event.session)) {
      this.#alive.set(event.session, event);
    }
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

  #ended(gone: EventOf<'session.gone'>): void {
    const last = this.#beats.get(gone.session);
    this.#beats.delete(gone.session);
    this.#alive.delete(gone.session);
    this.#gone.add(gone.session);
    if (typeof gone.seenBeat !== 'number' || gone.certainty === 'indefinite') return;
    this.#findings.checked += 1;
    if (last === undefined || last.beat <= gone.seenBeat) return;
    this.#findings.violated(
      `${gone.session} was given up at beat ${gone.seenBeat}, and had been renewed with beat ${last.beat}`,
      last,
      gone,
    );
  }

  #taken(added: EventOf<'registration.add'>): void {
    const { id, session, takenFrom } = added;
    const opened = typeof takenFrom === 'string' ? this.#alive.get(takenFrom) : undefined;
    if (opened === undefined || takenFrom === session) return;
    this.#findings.violated(`${session} took ${id} from ${takenFrom}, which lives`, opened, added);
  }
}
