import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, entryOf, Findings, type Law, type Verdict } from '../law.ts';

type Claim = EventOf<'lease.grant' | 'serve' | 'store.fence' | 'store.append'>;

/** Whoever serves, is granted, fences or appends under an epoch is one and the same session. */
export class OneOwnerPerEpoch implements Law {
  readonly name = 'one-owner-per-epoch';
  readonly promise = 'an epoch of a document belongs to one session';
  readonly #findings = new Findings();
  /** Who was seen first: document, epoch. */
  readonly #owners = new Map<string, Map<number, Claim>>();
  #epochs = 0;

  observe(event: HistoryEvent): void {
    switch (event.ev) {
      case 'lease.grant':
      case 'serve':
        return this.#claim(event);
      case 'store.fence':
      case 'store.append':
        // What was refused, or may have been, makes nobody an owner.
        if (event.outcome === 'ok') this.#claim(event);
        return;
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
      `${counted(checked, 'sign')} of ownership in ${counted(this.#epochs, 'epoch')}`,
      checked === 0 ? 'no owner was seen' : null,
    );
  }

  #claim(event: Claim): void {
    this.#findings.checked += 1;
    const owners = entryOf(this.#owners, event.doc, () => new Map<number, Claim>());
    const first = owners.get(event.epoch);
    if (first === undefined) {
      owners.set(event.epoch, event);
      this.#epochs += 1;
    } else if (first.session !== event.session) {
      this.#findings.violated(
        `${first.session} and ${event.session} both own ${event.doc} in epoch ${event.epoch}`,
        first,
        event,
      );
    }
  }
}
