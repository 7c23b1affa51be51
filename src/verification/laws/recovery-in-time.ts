import { formatDuration } from '../../foundation/duration.ts';
import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, entryOf, Findings, type HistoryEnd, type Law, type Verdict } from '../law.ts';

/** From when on recovery is measured, after one fault and until the next. */
interface Phase {
  readonly fault: EventOf<'fault.start' | 'fault.end'>;
  readonly sinceMs: number;
  /** When the next fault began. */
  untilMs: number | null;
}

interface Load {
  readonly pending: Map<string, EventOf<'op.invoke'>>;
  phase: Phase | null;
  recovered: boolean;
  judged: boolean;
  /** The op that has waited longest since the last acknowledgement. */
  waiting: EventOf<'op.invoke'> | null;
}

/**
 * After a fault, ops of every document under load are soon acknowledged again. A document has
 * recovered when an op is acknowledged that was submitted after the fault; how long it took is the
 * longest that anybody was seen to wait until then.
 */
export class RecoveryInTime implements Law {
  readonly name = 'recovery-in-time';
  readonly promise = 'after a fault, ops are soon acknowledged again';
  readonly #budgetMs: number;
  readonly #findings = new Findings();
  readonly #loads = new Map<string, Load>();
  /** Those with an op under way. */
  readonly #busy = new Set<Load>();
  /** Faults under which nothing can work: recovery counts when all of them are over. */
  readonly #outages = new Set<string>();
  #phase: Phase | null = null;
  #faults = 0;
  #worstMs = 0;

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  observe(event: HistoryEvent): void {
    switch (event.ev) {
      case 'fault.start':
        this.#faults += 1;
        if (event.recoveryFrom === 'end') this.#outages.add(event.id);
        return this.#begin(event, this.#outages.size === 0);
      case 'fault.end':
        if (this.#outages.delete(event.id) && this.#outages.size === 0) this.#begin(event, true);
        return;
      case 'op.invoke':
        return this.#invoked(event);
      case 'op.ok':
        return this.#acknowledged(event);
      case 'op.fail':
        return this.#failed(event);
      default:
        return;
    }
  }

  verdict({ atMs }: HistoryEnd): Verdict {
    let open = 0;
    for (const load of this.#loads.values()) {
      this.#follow(load);
      if (load.phase === null || load.recovered || load.waiting === null) continue;
      if (load.pending.size > 0) this.#waited(load, load.waiting, atMs, null);
      if (!load.judged) open += 1;
    }
    const { checked } = this.#findings;
    const none = this.#faults === 0 ? 'no fault was injected' : 'no load met a fault';
    const late = `${counted(open, 'document')} had not recovered when the history ended`;
    return this.#findings.verdict(
      `${counted(checked, 'recovery', 'recoveries')}, the slowest in ${formatDuration(this.#worstMs)}`,
      open > 0 ? late : checked === 0 ? none : null,
    );
  }

  #begin(fault: Phase['fault'], counts: boolean): void {
    if (this.#phase !== null) this.#phase.untilMs = fault.atMs;
    this.#phase = counts ? { fault, sinceMs: fault.atMs, untilMs: null } : null;
    // Whoever waits now must not sleep through two faults: the first would never be judged.
    for (const load of this.#busy) this.#follow(load);
  }

  #invoked(event: EventOf<'op.invoke'>): void {
    const load = this.#loadOf(event.doc);
    if (!load.pending.has(event.opId)) load.pending.set(event.opId, event);
    this.#busy.add(load);
    if (!load.recovered) load.waiting ??= event;
  }

  #acknowledged(event: EventOf<'op.ok'>): void {
    const load = this.#loadOf(event.doc);
    const invoke = load.pending.get(event.opId);
    this.#ended(load, event.opId);
    if (load.phase === null || load.recovered || invoke === undefined) return;
    this.#waited(load, invoke, event.atMs, event);
    if (invoke.atMs >= load.phase.sinceMs) {
      load.recovered = true;
      if (!load.judged) this.#findings.checked += 1;
    } else {
      const [next = null] = load.pending.values();
      load.waiting = next;
    }
  }

  /** Nobody was served between the op that has waited longest and this failure. */
  #failed(event: EventOf<'op.fail'>): void {
    const load = this.#loadOf(event.doc);
    this.#ended(load, event.opId);
    if (load.phase === null || load.recovered || load.waiting === null) return;
    this.#waited(load, load.waiting, event.atMs, event);
  }

  #ended(load: Load, opId: string): void {
    load.pending.delete(opId);
    if (load.pending.size === 0) this.#busy.delete(load);
  }

  #waited(
    load: Load,
    invoke: EventOf<'op.invoke'>,
    atMs: number,
    event: EventOf<'op.ok' | 'op.fail'> | null,
  ): void {
    const { fault, sinceMs } = load.phase as Phase;
    const waitedMs = atMs - Math.max(invoke.atMs, sinceMs);
    this.#worstMs = Math.max(this.#worstMs, waitedMs);
    if (waitedMs <= this.#budgetMs || load.judged) return;
    load.judged = true;
    this.#findings.checked += 1;
    this.#findings.violated(
      `${invoke.doc} was out for ${formatDuration(waitedMs)}, with a budget of ${formatDuration(this.#budgetMs)}`,
      fault,
      invoke,
      event,
    );
  }

  #loadOf(doc: string): Load {
    const load = entryOf(this.#loads, doc, () => ({
      ...{ pending: new Map(), phase: null, recovered: true, judged: false, waiting: null },
    }));
    this.#follow(load);
    return load;
  }

  /** A new fault begins a new measurement; one that was not over ends with what was seen so far. */
  #follow(load: Load): void {
    const { phase, recovered, waiting, pending } = load;
    if (phase === this.#phase) return;
    if (phase !== null && phase.untilMs !== null && !recovered && waiting && pending.size > 0) {
      this.#waited(load, waiting, phase.untilMs, null);
    }
    load.phase = this.#phase;
    load.recovered = false;
    load.judged = false;
    const [first = null] = load.pending.values();
    load.waiting = first;
  }
}
