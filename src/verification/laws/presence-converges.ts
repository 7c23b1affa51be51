import { FaultWatch } from '../fault-watch.ts';
import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, Findings, type Law, type Verdict } from '../law.ts';

interface Known {
  readonly open: EventOf<'presence.open'>;
  /** What ended it: its own end, or that of its node. */
  closed: HistoryEvent | null;
  /** Its client lost it: it may be there as long as its node is. */
  isDoubtful: boolean;
}

/** When nothing changes and nothing is broken, every node sees exactly the connections there are. */
export class PresenceConverges implements Law {
  readonly name = 'presence-converges';
  readonly promise = 'every node soon sees every connection, and no ghost';
  readonly #budgetMs: number;
  readonly #findings = new Findings();
  readonly #faults = new FaultWatch();
  readonly #connections = new Map<string, Known>();
  readonly #openOn = new Map<string, Set<string>>();

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  observe(event: HistoryEvent): void {
    this.#faults.observe(event);
    switch (event.ev) {
      case 'presence.open': {
        this.#connections.set(event.connection, { open: event, closed: null, isDoubtful: false });
        const open = this.#openOn.get(event.nodeId) ?? new Set();
        this.#openOn.set(event.nodeId, open.add(event.connection));
        return;
      }
      case 'presence.close':
        if (event.certainty === 'indefinite') return this.#lost(event.connection);
        return this.#closed(event.connection, event);
      case 'node.down':
        for (const id of this.#openOn.get(event.nodeId) ?? []) this.#closed(id, event);
        this.#openOn.delete(event.nodeId);
        return;
      case 'presence.view':
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
      this.#connections.size === 0 ? 'no connection was opened' : 'no view was taken late enough';
    const detail = `${counted(checked, 'connection')} compared with views`;
    return this.#findings.verdict(detail, checked === 0 ? none : null);
  }

  #lost(id: string): void {
    const known = this.#connections.get(id);
    if (known) known.isDoubtful = true;
  }

  #closed(id: string, event: HistoryEvent): void {
    const known = this.#connections.get(id);
    if (!known || known.closed) return;
    known.closed = event;
    this.#openOn.get(known.open.nodeId)?.delete(id);
  }

  #view(view: EventOf<'presence.view'>): void {
    const { quietSinceMs } = this.#faults;
    if (quietSinceMs === null) return;
    const isSettled = (event: HistoryEvent) => {
      return Math.max(event.atMs, quietSinceMs) + this.#budgetMs < view.atMs;
    };
    for (const [id, { open, closed, isDoubtful }] of this.#connections) {
      const isSeen = Object.hasOwn(view.connections, id);
      if (closed === null) {
        if (isDoubtful || !isSettled(open)) continue;
        this.#findings.checked += 1;
        if (!isSeen) this.#findings.violated(`${view.viewer} does not see ${id}`, open, view);
      } else if (isSettled(closed)) {
        this.#findings.checked += 1;
        if (isSeen) {
          this.#findings.violated(`${view.viewer} sees the ghost of ${id}`, open, closed, view);
        }
      }
    }
  }
}
