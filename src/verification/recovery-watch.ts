import type { EventOf, HistoryEvent } from './history-event.ts';
import { entryOf } from './law.ts';

/** From when on recovery is measured, after a fault and until the next. */
export interface RecoveryPeriod {
  /** Where it begins: the start of a fault, or the end of the last of an outage. */
  readonly fault: EventOf<'fault.start' | 'fault.end'>;
  /** Ids of the faults it measures: also of those that nobody had recovered from when it began. */
  readonly faults: readonly string[];
  readonly sinceMs: number;
}

/** How long a document was seen to wait for an acknowledgement. */
export interface RecoveryWait {
  readonly doc: string;
  readonly period: RecoveryPeriod;
  readonly waitedMs: number;
  /** The op that waited; of several, the oldest. */
  readonly invoke: EventOf<'op.invoke'>;
  /** What ended the wait; null when the history or the next fault did. */
  readonly event: EventOf<'op.ok' | 'op.fail'> | null;
}

export interface RecoveryListener {
  waited(wait: RecoveryWait): void;
  recovered?(doc: string, period: RecoveryPeriod): void;
  /** The history ended first. */
  unrecovered?(doc: string, period: RecoveryPeriod): void;
}

interface Load {
  readonly doc: string;
  readonly pending: Map<string, EventOf<'op.invoke'>>;
  period: RecoveryPeriod | null;
  recovered: boolean;
  /** The op that has waited longest since the last acknowledgement, though it may have failed. */
  waiting: EventOf<'op.invoke'> | null;
  /** When an op was acknowledged last. */
  servedMs: number;
}

/**
 * Measures recovery: how long documents under load wait for their next acknowledgement after a
 * fault. A document has recovered when an op is acknowledged that was submitted after it; but what
 * is broken slowly may serve a while, so waits are told of until the next fault.
 */
export class RecoveryWatch {
  readonly #listener: RecoveryListener;
  readonly #loads = new Map<string, Load>();
  /** Those with an op under way. */
  readonly #busy = new Set<Load>();
  /** Faults under which nothing can work: recovery counts when all of them are over. */
  readonly #outages = new Set<string>();
  /** Faults whose recovery counts when the outage is over. */
  readonly #covered = new Set<string>();
  #period: RecoveryPeriod | null = null;

  constructor(listener: RecoveryListener) {
    this.#listener = listener;
  }

  observe(event: HistoryEvent): void {
    switch (event.ev) {
      case 'fault.start':
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

  end(atMs: number): void {
    for (const load of this.#loads.values()) {
      this.#follow(load, atMs);
      const { period, waiting, pending, recovered, doc } = load;
      if (period === null || waiting === null) continue;
      if (pending.size > 0) this.#waited(load, waiting, atMs, null);
      if (!recovered) this.#listener.unrecovered?.(doc, period);
    }
  }

  #begin(fault: RecoveryPeriod['fault'], counts: boolean): void {
    const before = this.#period;
    if (before !== null && [...this.#busy].some((load) => isOpen(load, before))) {
      for (const id of before.faults) this.#covered.add(id);
    }
    this.#covered.add(fault.id);
    this.#period = null;
    if (counts) {
      this.#period = { fault, faults: [...this.#covered], sinceMs: fault.atMs };
      this.#covered.clear();
    }
    // Whoever waits now must not sleep through two faults: the first would never be judged.
    for (const load of this.#busy) this.#follow(load, fault.atMs);
  }

  #invoked(event: EventOf<'op.invoke'>): void {
    const load = this.#loadOf(event);
    if (!load.pending.has(event.opId)) load.pending.set(event.opId, event);
    this.#busy.add(load);
    load.waiting ??= event;
  }

  #acknowledged(event: EventOf<'op.ok'>): void {
    const load = this.#loadOf(event);
    const [oldest] = load.pending.values();
    const invoke = load.pending.get(event.opId);
    if (oldest !== undefined) this.#waited(load, oldest, event.atMs, event);
    this.#ended(load, event.opId);
    load.servedMs = event.atMs;
    const [next = null] = load.pending.values();
    load.waiting = next;
    if (load.period === null || load.recovered) return;
    if (invoke === undefined || invoke.atMs < load.period.sinceMs) return;
    load.recovered = true;
    this.#listener.recovered?.(load.doc, load.period);
  }

  /** Nobody was served between the op that has waited longest and this failure. */
  #failed(event: EventOf<'op.fail'>): void {
    const load = this.#loadOf(event);
    const { waiting } = load;
    if (waiting !== null) this.#waited(load, waiting, event.atMs, event);
    this.#ended(load, event.opId);
    const [next = null] = load.pending.values();
    // That one op failed when all was well says nothing about the time until the next is tried.
    if (load.recovered) load.waiting = next;
  }

  #ended(load: Load, opId: string): void {
    load.pending.delete(opId);
    if (load.pending.size === 0) this.#busy.delete(load);
  }

  #waited(
    { doc, period, servedMs }: Load,
    invoke: EventOf<'op.invoke'>,
    atMs: number,
    event: RecoveryWait['event'],
  ): void {
    if (period === null) return;
    const waitedMs = atMs - Math.max(invoke.atMs, period.sinceMs, servedMs);
    this.#listener.waited({ doc, period, waitedMs, invoke, event });
  }

  #loadOf({ doc, atMs }: EventOf<'op.invoke' | 'op.ok' | 'op.fail'>): Load {
    const load = entryOf(this.#loads, doc, () => ({
      ...{ doc, pending: new Map(), period: null, recovered: true, waiting: null },
      servedMs: Number.NEGATIVE_INFINITY,
    }));
    this.#follow(load, atMs);
    return load;
  }

  /** A new fault begins a new measurement; one that was not over ends with what was seen so far. */
  #follow(load: Load, atMs: number): void {
    const { period, waiting, pending } = load;
    if (period === this.#period) return;
    if (waiting !== null && pending.size > 0) this.#waited(load, waiting, atMs, null);
    load.period = this.#period;
    load.recovered = load.period === null;
    const [first = null] = load.pending.values();
    load.waiting = first;
  }
}

/** Whether somebody still waits for the document to recover. */
function isOpen({ period, recovered, pending }: Load, of: RecoveryPeriod): boolean {
  return period === of && !recovered && pending.size > 0;
}
