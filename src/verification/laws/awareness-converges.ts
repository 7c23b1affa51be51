import { FaultWatch } from '../fault-watch.ts';
import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, entryOf, Findings, type Law, type Verdict } from '../law.ts';

type Change = EventOf<'awareness.set'>;
type View = EventOf<'awareness.view'>;

interface PeerStates {
  /** The latest that was set for certain. */
  latest: Change | null;
  /** Later ones, or as late, that may have been set, or may have replaced it. */
  maybe: Change[];
}

/** When nothing changes and nothing is broken, all views soon show the latest state of every peer. */
export class AwarenessConverges implements Law {
  readonly name = 'awareness-converges';
  readonly promise = 'every view soon shows the latest state of every peer, and never goes back';
  readonly #budgetMs: number;
  readonly #findings = new Findings();
  readonly #faults = new FaultWatch();
  /** Document, peer. */
  readonly #states = new Map<string, Map<string, PeerStates>>();
  /** The view of a document that a viewer had last. */
  readonly #views = new Map<string, Map<string, View>>();

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  observe(event: HistoryEvent): void {
    this.#faults.observe(event);
    if (event.ev === 'awareness.set') this.#set(event);
    else if (event.ev === 'awareness.view') this.#view(event);
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict(): Verdict {
    const { checked } = this.#findings;
    const none = this.#states.size === 0 ? 'no state was set' : 'no view was taken late enough';
    return this.#findings.verdict(
      `${counted(checked, 'state')} compared with views`,
      checked === 0 ? none : null,
    );
  }

  #set(event: Change): void {
    const peers = entryOf(this.#states, event.doc, () => new Map<string, PeerStates>());
    const known = entryOf(peers, event.peer, () => ({ latest: null, maybe: [] }) as PeerStates);
    if (event.certainty === 'indefinite') {
      known.maybe.push(event);
    } else if (known.latest === null || event.clock >= known.latest.clock) {
      known.latest = event;
      known.maybe = known.maybe.filter(({ clock }) => clock > event.clock);
    }
  }

  #view(view: View): void {
    const views = entryOf(this.#views, view.doc, () => new Map<string, View>());
    this.#goesBack(views.get(view.viewer), view);
    views.set(view.viewer, view);
    for (const [peer, known] of this.#states.get(view.doc) ?? []) {
      const { latest } = known;
      if (latest === null || !this.#isSettled(latest, view.atMs)) continue;
      this.#findings.checked += 1;
      if (shows(view, peer, known)) continue;
      const shown = Object.hasOwn(view.states, peer)
        ? JSON.stringify(view.states[peer])
        : 'not there';
      this.#findings.violated(
        `${peer} is ${shown} for ${view.viewer}, long after it set clock ${latest.clock} in ${view.doc}`,
        latest,
        view,
      );
    }
  }

  #goesBack(before: View | undefined, view: View): void {
    if (before === undefined) return;
    for (const [peer, { clock }] of Object.entries(view.states)) {
      const earlier = Object.hasOwn(before.states, peer) ? before.states[peer] : undefined;
      if (earlier === undefined || clock >= earlier.clock) continue;
      this.#findings.checked += 1;
      this.#findings.violated(
        `${view.viewer} saw ${peer} of ${view.doc} at clock ${earlier.clock}, then at clock ${clock}`,
        before,
        view,
      );
    }
  }

  #isSettled(set: Change, atMs: number): boolean {
    const { quietSinceMs } = this.#faults;
    return quietSinceMs !== null && Math.max(set.atMs, quietSinceMs) + this.#budgetMs < atMs;
  }
}

/** Whether the view shows the latest state, or one that may have come after it. */
function shows(view: View, peer: string, { latest, maybe }: PeerStates): boolean {
  const shown = Object.hasOwn(view.states, peer) ? view.states[peer] : undefined;
  const possible = latest === null ? maybe : [latest, ...maybe];
  if (shown === undefined) return possible.some(({ state }) => state === null);
  return possible.some(
    ({ clock, state }) =>
      clock === shown.clock && JSON.stringify(state) === JSON.stringify(shown.state),
  );
}
