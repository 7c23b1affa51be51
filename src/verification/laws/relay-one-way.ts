import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, Findings, type Law, type Verdict } from '../law.ts';

type Route = EventOf<'relay.route'>;

/** A browser's connection is forwarded or sent elsewhere, and sent elsewhere only once in a row. */
export class RelayOneWay implements Law {
  readonly name = 'relay-one-way';
  readonly promise = 'no relay frame is both forwarded and redirected, and no redirect leads on';
  readonly #findings = new Findings();
  readonly #ways = new Map<string, Route>();

  observe(event: HistoryEvent): void {
    if (event.ev !== 'relay.route') return;
    this.#findings.checked += 1;
    const { connection, way, redirectedBefore } = event;
    if (way === 'redirected' && redirectedBefore) {
      this.#findings.violated(`${connection} came of a redirect, and was sent on`, event);
    }
    const before = this.#ways.get(connection);
    if (!before) this.#ways.set(connection, event);
    else if (before.way !== way || way === 'redirected') {
      this.#findings.violated(`${connection} was ${before.way}, then ${way}`, before, event);
    }
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict(): Verdict {
    return this.#findings.verdict(
      `${counted(this.#ways.size, 'connection')} looked at`,
      this.#findings.checked === 0 ? 'no relay connection was looked at' : null,
    );
  }
}
