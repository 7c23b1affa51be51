import { FaultWatch } from '../fault-watch.ts';
import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, entryOf, Findings, type Law, type Verdict } from '../law.ts';

interface Change {
  readonly event: EventOf<'presence.change'>;
  ended: EventOf<'presence.changed'> | null;
}

/**
 * A change of a connection's groups that was acknowledged holds as long as the connection lives and
 * nobody changes it again, however many nodes change its other groups meanwhile.
 */
export class GroupChangesKept implements Law {
  readonly name = 'group-changes-kept';
  readonly promise = 'an acknowledged change of groups is never lost';
  readonly #budgetMs: number;
  readonly #findings = new Findings();
  readonly #faults = new FaultWatch();
  readonly #changes = new Map<string, Change>();
  /** Connection, group: in the order of asking. */
  readonly #histories = new Map<string, Map<string, Change[]>>();

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  observe(event: HistoryEvent): void {
    this.#faults.observe(event);
    if (event.ev === 'presence.change') {
      const change: Change = { event, ended: null };
      this.#changes.set(event.id, change);
      const groups = entryOf(this.#histories, event.connection, () => new Map<string, Change[]>());
      entryOf(groups, event.group, () => [] as Change[]).push(change);
    } else if (event.ev === 'presence.changed') {
      const change = this.#changes.get(event.id);
      if (change) change.ended = event;
      this.#changes.delete(event.id);
    } else if (event.ev === 'presence.close') this.#histories.delete(event.connection);
    else if (event.ev === 'presence.view') this.#view(event);
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict(): Verdict {
    const { checked } = this.#findings;
    const none = this.#histories.size === 0 ? 'no group was changed' : 'no view was late enough';
    const detail = `${counted(checked, 'membership')} compared with views`;
    return this.#findings.verdict(detail, checked === 0 ? none : null);
  }

  #view(view: EventOf<'presence.view'>): void {
    const { quietSinceMs } = this.#faults;
    if (quietSinceMs === null) return;
    for (const [id, groups] of Object.entries(view.connections)) {
      for (const [group, changes] of this.#histories.get(id) ?? []) {
        const last = lastCertain(changes);
        if (!last?.ended) continue;
        const settledMs = Math.max(last.ended.atMs, quietSinceMs) + this.#budgetMs;
        if (settledMs >= view.atMs) continue;
        this.#findings.checked += 1;
        const isIn = groups.includes(group);
        const { change } = last.event;
        if (isIn === (change === 'join')) continue;
        const told = isIn ? 'still in' : 'not in';
        const claim = `${id} is ${told} ${group} for ${view.viewer}, though its ${change} was acknowledged`;
        this.#findings.violated(claim, last.event, last.ended, view);
      }
    }
  }
}

/** The change that decides; null when one that may have happened, or was under way, could, too. */
function lastCertain(changes: readonly Change[]): Change | null {
  let last: Change | null = null;
  for (const change of changes) {
    const outcome = change.ended?.outcome ?? 'unknown';
    if (outcome === 'failed') continue;
    if (outcome === 'unknown') {
      // It may happen late; of the same direction, that would change nothing.
      if (changes.some((other) => other.event.change !== change.event.change)) return null;
      continue;
    }
    const overlaps = last?.ended && last.ended.line > change.event.line;
    if (overlaps && last?.event.change !== change.event.change) return null;
    last = change;
  }
  return last;
}
