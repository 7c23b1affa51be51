import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, Findings, type Law, type Verdict } from '../law.ts';

/**
 * In the end the broker holds nothing of the dead, and nothing unknown, that would stay for ever.
 * Whoever died a moment ago is still being cleared away.
 */
export class NothingLeftBehind implements Law {
  readonly name = 'nothing-left-behind';
  readonly promise = 'nothing of a dead session stays in the broker for ever';
  readonly #findings = new Findings();
  readonly #budgetMs: number;
  readonly #gone = new Map<string, EventOf<'session.gone'>>();
  #keys = 0;
  #whole: EventOf<'final.keys'> | null = null;
  #undecided = 0;

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  observe(event: HistoryEvent): void {
    if (event.ev === 'session.gone' && event.certainty !== 'indefinite') {
      this.#gone.set(event.session, event);
    } else if (event.ev === 'session.open') {
      // Again, when the broker was put back to an older state.
      this.#gone.delete(event.session);
    } else if (event.ev === 'final.key') {
      this.#key(event);
    } else if (event.ev === 'final.keys') {
      this.#whole = event;
    }
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict(): Verdict {
    const listed = `${counted(this.#keys, 'key')} looked at`;
    if (this.#whole === null) return this.#findings.verdict(listed, 'the keys were not listed');
    const missing = this.#whole.count - this.#keys;
    if (missing !== 0) {
      return this.#findings.verdict(
        listed,
        `${this.#whole.count} keys were announced, ${this.#keys} listed`,
      );
    }
    const unclear = counted(this.#undecided, 'key has', 'keys have');
    return this.#findings.verdict(
      listed,
      this.#undecided > 0 ? `${unclear} no session that could be told dead or alive` : null,
    );
  }

  #key(event: EventOf<'final.key'>): void {
    const { key, role, session, ttlMs, atMs } = event;
    this.#keys += 1;
    this.#findings.checked += 1;
    if (ttlMs !== null || role === 'cluster' || role === 'log') return;
    if (role === 'other') {
      this.#findings.violated(`nobody knows what ${key} is for, and it stays for ever`, event);
      return;
    }
    if (typeof session !== 'string') {
      this.#undecided += 1;
      return;
    }
    const gone = this.#gone.get(session);
    if (gone === undefined || gone.atMs + this.#budgetMs >= atMs) return;
    this.#findings.violated(`${key} of the dead session ${session} stays for ever`, gone, event);
  }
}
