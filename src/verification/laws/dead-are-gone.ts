import { formatDuration } from '../../foundation/duration.ts';
import { FaultWatch } from '../fault-watch.ts';
import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, Findings, type Law, type Verdict } from '../law.ts';

type Death = EventOf<'session.gone' | 'node.down'>;

/** What stood under a session that died is soon in nobody's view any more. */
export class DeadAreGone implements Law {
  readonly name = 'dead-are-gone';
  readonly promise = 'registrations of the dead are gone in time';
  readonly #budgetMs: number;
  readonly #findings = new Findings();
  readonly #faults = new FaultWatch();
  readonly #registered = new Map<string, EventOf<'registration.add'>>();
  /** Sessions that something once stood under. */
  readonly #holders = new Set<string>();
  readonly #sessionsOf = new Map<string, string[]>();
  readonly #deaths = new Map<string, Death>();

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  observe(event: HistoryEvent): void {
    this.#faults.observe(event);
    switch (event.ev) {
      case 'registration.add':
        this.#registered.set(event.id, event);
        this.#holders.add(event.session);
        return;
      case 'registration.remove':
        this.#registered.delete(event.id);
        return;
      case 'session.open':
        // A broker that was put back to an older state brings back sessions that were dead.
        this.#deaths.delete(event.session);
        this.#sessionsOf.set(event.nodeId, [
          ...(this.#sessionsOf.get(event.nodeId) ?? []),
          event.session,
        ]);
        return;
      case 'session.gone':
        if (event.certainty !== 'indefinite') this.#died(event.session, event);
        return;
      case 'node.down':
        for (const session of this.#sessionsOf.get(event.nodeId) ?? []) this.#died(session, event);
        this.#sessionsOf.delete(event.nodeId);
        return;
      case 'registration.view':
        return this.#view(event);
      default:
        return;
    }
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict(): Verdict {
    const { checked } = this.#findings;
    const none =
      this.#deaths.size === 0 ? 'nobody died' : 'no view was taken late enough after a death';
    return this.#findings.verdict(
      `${counted(checked, 'view')} of dead sessions' registrations`,
      checked === 0 ? none : null,
    );
  }

  #died(session: string, death: Death): void {
    if (!this.#deaths.has(session)) this.#deaths.set(session, death);
  }

  #view(view: EventOf<'registration.view'>): void {
    for (const [session, death] of this.#deaths) {
      if (this.#holders.has(session) && this.#isDue(death, view.atMs)) {
        this.#findings.checked += 1;
      }
    }
    for (const id of view.ids) {
      const added = this.#registered.get(id);
      const death = added && this.#deaths.get(added.session);
      if (added === undefined || death === undefined || !this.#isDue(death, view.atMs)) continue;
      this.#findings.violated(
        `${view.viewer} still sees ${id} of ${added.session}, ${formatDuration(view.atMs - death.atMs)} after its death`,
        added,
        death,
        view,
      );
    }
  }

  #isDue(death: Death, atMs: number): boolean {
    const { quietSinceMs } = this.#faults;
    return quietSinceMs !== null && Math.max(death.atMs, quietSinceMs) + this.#budgetMs < atMs;
  }
}
