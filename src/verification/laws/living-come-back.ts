import { formatDuration } from '../../foundation/duration.ts';
import { FaultWatch } from '../fault-watch.ts';
import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, Findings, type HistoryEnd, type Law, type Verdict } from '../law.ts';

interface Living {
  readonly up: EventOf<'node.up'>;
  /** Its sessions that are not gone, or may not be. */
  readonly sessions: Set<string>;
  /** What left it without a session; null while it has one. */
  without: EventOf<'node.up' | 'session.gone'> | null;
}

/** A node that lives is never without a session for longer than the budget, faults aside. */
export class LivingComeBack implements Law {
  readonly name = 'living-come-back';
  readonly promise = 'a living node that lost its session soon has another';
  readonly #budgetMs: number;
  readonly #findings = new Findings();
  readonly #faults = new FaultWatch();
  readonly #living = new Map<string, Living>();
  readonly #nodeOf = new Map<string, string>();
  #worstMs = 0;

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  observe(event: HistoryEvent): void {
    if (event.ev === 'fault.start') this.#judgeAll(event);
    this.#faults.observe(event);
    switch (event.ev) {
      case 'node.up':
        this.#living.set(event.nodeId, { up: event, sessions: new Set(), without: event });
        return;
      case 'node.down':
        this.#judge(event.nodeId, event.atMs, event);
        this.#living.delete(event.nodeId);
        return;
      case 'session.open':
        return this.#opened(event);
      case 'session.gone':
        if (event.certainty !== 'indefinite') this.#gone(event);
        return;
      default:
        return;
    }
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict({ atMs }: HistoryEnd): Verdict {
    let undecided = 0;
    for (const [nodeId, { without }] of this.#living) {
      if (without !== null && !this.#judge(nodeId, atMs, null)) undecided += 1;
    }
    const { checked } = this.#findings;
    const none = checked === 0 ? 'no node that opened a session was seen' : null;
    const open = counted(undecided, 'node had', 'nodes had');
    return this.#findings.verdict(
      `${counted(checked, 'time')} without a session, the longest ${formatDuration(this.#worstMs)}`,
      undecided > 0 ? `${open} no session when the history ended, and still had time` : none,
    );
  }

  #opened(event: EventOf<'session.open'>): void {
    const living = this.#living.get(event.nodeId);
    if (living === undefined) return;
    if (living.without !== null && !this.#judge(event.nodeId, event.atMs, event)) {
      this.#findings.checked += 1;
      this.#worstMs = Math.max(this.#worstMs, this.#waitedMs(living, event.atMs));
    }
    living.without = null;
    living.sessions.add(event.session);
    this.#nodeOf.set(event.session, event.nodeId);
  }

  #gone(event: EventOf<'session.gone'>): void {
    const living = this.#living.get(this.#nodeOf.get(event.session) ?? '');
    if (!living?.sessions.delete(event.session)) return;
    if (living.sessions.size === 0) living.without = event;
  }

  /** Before a fault covers it up: who has been without a session for too long? */
  #judgeAll(event: HistoryEvent): void {
    for (const nodeId of this.#living.keys()) this.#judge(nodeId, event.atMs, event);
  }

  /** Whether the node was without a session for too long; said once. */
  #judge(nodeId: string, atMs: number, event: HistoryEvent | null): boolean {
    const living = this.#living.get(nodeId);
    if (living === undefined || living.without === null) return false;
    const waitedMs = this.#waitedMs(living, atMs);
    if (waitedMs <= this.#budgetMs) return false;
    this.#findings.checked += 1;
    this.#worstMs = Math.max(this.#worstMs, waitedMs);
    this.#findings.violated(
      `${nodeId} lived without a session for ${formatDuration(waitedMs)}`,
      living.up,
      living.without === living.up ? null : living.without,
      event,
    );
    living.without = null;
    return true;
  }

  /** How long it has been without one, not counting faults. */
  #waitedMs({ without }: Living, atMs: number): number {
    const { quietSinceMs } = this.#faults;
    if (without === null || quietSinceMs === null) return 0;
    return atMs - Math.max(without.atMs, quietSinceMs);
  }
}
