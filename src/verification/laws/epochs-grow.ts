import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, entryOf, Findings, type Law, type Verdict } from '../law.ts';

type Dated =
  | EventOf<'store.fence' | 'final.op' | 'lease.grant'>
  | (EventOf<'deliver'> & { readonly epoch: number });

/** Epochs of a document grow with every fence, and never fall along its log. */
export class EpochsGrow implements Law {
  readonly name = 'epochs-grow';
  readonly promise = 'every change of ownership has a greater epoch, and no later op a smaller one';
  readonly #findings = new Findings();
  /** The last event of each row of events whose epochs must not fall, by document. */
  readonly #rows = new Map<string, Map<string, Dated>>();
  #changes = 0;

  observe(event: HistoryEvent): void {
    switch (event.ev) {
      case 'store.fence':
        if (event.outcome === 'ok') this.#fenced(event);
        return;
      case 'final.op':
        return this.#notSmaller('the log', event);
      case 'deliver':
        if (hasEpoch(event)) this.#notSmaller(`subscriber ${event.subscriber}`, event);
        return;
      case 'lease.grant':
        return this.#notSmaller(`session ${event.session}`, event);
      default:
        return;
    }
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict(): Verdict {
    const { checked } = this.#findings;
    return this.#findings.verdict(
      `${counted(checked, 'epoch')} compared, ${counted(this.#changes, 'change')} of epoch`,
      checked === 0 ? 'no two epochs of one document were seen' : null,
    );
  }

  /** The store is in the middle of it: its order is the order of ownership. */
  #fenced(event: EventOf<'store.fence'>): void {
    const last = this.#next('the store', event);
    if (last === undefined || event.epoch > last.epoch) return;
    this.#findings.violated(
      `${event.doc} was fenced with epoch ${event.epoch} after epoch ${last.epoch}`,
      last,
      event,
    );
  }

  #notSmaller(row: string, event: Dated): void {
    const last = this.#next(row, event);
    if (last === undefined || event.epoch >= last.epoch) return;
    this.#findings.violated(
      `epoch ${event.epoch} of ${event.doc} comes after epoch ${last.epoch} for ${row}`,
      last,
      event,
    );
  }

  #next(row: string, event: Dated): Dated | undefined {
    const rows = entryOf(this.#rows, event.doc, () => new Map<string, Dated>());
    const last = rows.get(row);
    rows.set(row, event);
    if (last === undefined) return undefined;
    this.#findings.checked += 1;
    if (last.epoch !== event.epoch) this.#changes += 1;
    return last;
  }
}

function hasEpoch(event: EventOf<'deliver'>): event is EventOf<'deliver'> & { epoch: number } {
  return typeof event.epoch === 'number';
}
