import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, entryOf, Findings, type Law, type Verdict } from '../law.ts';

interface Fences {
  /** The last one that is known to have taken place. */
  latest: EventOf<'store.fence'> | null;
  /** Later ones that may have. */
  maybe: EventOf<'store.fence'>[];
  /** The accepted append, or fence before a time nobody saw, with the greatest epoch. */
  highest: EventOf<'store.append' | 'store.fence'> | null;
}

/** The store accepts an append only from the session it was fenced for last. */
export class NoWriteBelowEpoch implements Law {
  readonly name = 'no-write-below-epoch';
  readonly promise = 'the store accepts nothing from an owner that was fenced off';
  readonly #findings = new Findings();
  readonly #fences = new Map<string, Fences>();
  #refused = 0;

  observe(event: HistoryEvent): void {
    if (event.ev === 'store.fence') this.#fence(event);
    else if (event.ev === 'store.append') this.#append(event);
    else if (event.ev === 'store.unseen') this.#lookedAway();
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict(): Verdict {
    const { checked } = this.#findings;
    return this.#findings.verdict(
      `${counted(checked, 'append')} accepted, ${this.#refused} refused as fenced`,
      checked === 0 ? 'no append after a fence was recorded at the store' : null,
    );
  }

  #fence(event: EventOf<'store.fence'>): void {
    if (event.outcome === 'conflict') return;
    const fences = this.#of(event.doc);
    if (event.outcome === 'unknown') {
      fences.maybe.push(event);
      return;
    }
    fences.latest = event;
    fences.maybe = [];
  }

  /** Who is the last one is not known any more, but whoever it is has no smaller epoch. */
  #lookedAway(): void {
    for (const fences of this.#fences.values()) {
      const { latest, highest } = fences;
      fences.latest = null;
      if (latest !== null && latest.epoch > (highest?.epoch ?? 0)) fences.highest = latest;
    }
  }

  #append(event: EventOf<'store.append'>): void {
    if (event.outcome === 'fenced') this.#refused += 1;
    if (event.outcome !== 'ok') return;
    const fences = this.#of(event.doc);
    const { latest, highest } = fences;
    if (latest !== null || highest !== null) this.#findings.checked += 1;
    const proven = fences.maybe.find((fence) => isOf(fence, event));
    if (proven !== undefined) {
      // It was accepted, so the fence took place after all, and what came before it is over.
      fences.latest = proven;
      fences.maybe = fences.maybe.filter((fence) => fence.line > proven.line);
    } else if (latest !== null && !isOf(latest, event)) {
      this.#violated(event, latest);
    } else if (latest === null && highest !== null && event.epoch < highest.epoch) {
      this.#violated(event, highest);
    }
    if (highest === null || event.epoch > highest.epoch) fences.highest = event;
  }

  #violated(
    append: EventOf<'store.append'>,
    before: EventOf<'store.append' | 'store.fence'>,
  ): void {
    const { doc, session, epoch, seq } = append;
    this.#findings.violated(
      `seq ${seq} of ${doc} was accepted from ${session} with epoch ${epoch}, after ${before.session} had epoch ${before.epoch}`,
      before,
      append,
    );
  }

  #of(doc: string): Fences {
    return entryOf(this.#fences, doc, () => ({ latest: null, maybe: [], highest: null }));
  }
}

function isOf(fence: EventOf<'store.fence'>, append: EventOf<'store.append'>): boolean {
  return fence.epoch === append.epoch && fence.session === append.session;
}
