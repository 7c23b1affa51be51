import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, entryOf, Findings, type Law, type Verdict } from '../law.ts';

/**
 * An op has one seq, whoever tells of it; nobody gets it twice, no request runs twice, and what was
 * refused for certain is nowhere.
 */
export class AppliedOnce implements Law {
  readonly name = 'applied-once';
  readonly promise = 'an op is applied once, and not at all when it was refused for certain';
  readonly #findings = new Findings();
  /** Where each op was first seen: document, opId. */
  readonly #placed = new Map<string, Map<string, HistoryEvent>>();
  /** The last delivery: document, subscriber. */
  readonly #delivered = new Map<string, Map<string, EventOf<'deliver'>>>();
  readonly #runs = new Map<string, EventOf<'request.run'>>();
  /** Whether anybody told of ops that were applied, or of requests that ran. */
  #tells = false;
  readonly #attempts = new Map<string, Map<string, Attempt>>();

  observe(event: HistoryEvent): void {
    this.#tells ||= tellers.has(event.ev);
    switch (event.ev) {
      case 'op.invoke':
        return this.#invoked(event);
      case 'op.fail':
        return this.#failed(event);
      case 'op.ok':
      case 'final.op':
        return this.#place(event, event.opId, event.seq);
      case 'deliver':
        this.#place(event, event.opId, event.seq);
        return this.#deliver(event);
      case 'store.append':
        if (event.outcome !== 'ok') return;
        for (let at = 0; at < event.opIds.length; at++) {
          this.#place(event, event.opIds[at] as string, event.seq + at);
        }
        return;
      case 'request.run':
        return this.#run(event);
      default:
        return;
    }
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict(): Verdict {
    const { checked } = this.#findings;
    const seen = `${counted(checked, 'mention')} of ops and requests compared`;
    const none = 'no log, append, delivery or run of a request was seen';
    return this.#findings.verdict(seen, this.#tells ? null : none);
  }

  #invoked({ doc, opId }: EventOf<'op.invoke'>): void {
    const attempts = entryOf(this.#attempts, doc, () => new Map());
    const attempt = attempts.get(opId);
    // A second attempt may be the one that is in the log: the refusal of one proves nothing.
    attempts.set(opId, attempt === undefined ? 'pending' : 'several');
  }

  #failed(event: EventOf<'op.fail'>): void {
    const attempts = this.#attempts.get(event.doc);
    if (attempts?.get(event.opId) !== 'pending') return;
    attempts.set(event.opId, event.certainty === 'definite' ? event : 'several');
    const earlier = this.#placed.get(event.doc)?.get(event.opId);
    if (event.certainty === 'definite' && earlier !== undefined) this.#notRefused(event, earlier);
  }

  #place(event: HistoryEvent & { readonly doc: string }, opId: string, seq: number): void {
    this.#findings.checked += 1;
    const placed = entryOf(this.#placed, event.doc, () => new Map<string, HistoryEvent>());
    const first = placed.get(opId);
    if (first === undefined) {
      placed.set(opId, event);
      const attempts = this.#attempts.get(event.doc);
      const attempt = attempts?.get(opId);
      if (typeof attempt === 'object') this.#notRefused(attempt, event);
      return;
    }
    const before = seqOf(first, opId);
    if (before === seq) return;
    this.#findings.violated(
      `${opId} is seq ${before} and seq ${seq} of ${event.doc}`,
      first,
      event,
    );
  }

  #notRefused(refusal: EventOf<'op.fail'>, proof: HistoryEvent): void {
    const { opId, code, doc } = refusal;
    this.#findings.violated(`${opId} was refused with ${code}, and is in ${doc}`, refusal, proof);
  }

  #deliver(event: EventOf<'deliver'>): void {
    const delivered = entryOf(this.#delivered, event.doc, () => new Map());
    const last = delivered.get(event.subscriber);
    if (last === undefined || event.seq > last.seq) {
      delivered.set(event.subscriber, event);
      return;
    }
    this.#findings.violated(
      `${event.subscriber} got seq ${event.seq} of ${event.doc} when it had seq ${last.seq}`,
      last,
      event,
    );
  }

  #run(event: EventOf<'request.run'>): void {
    this.#findings.checked += 1;
    const first = this.#runs.get(event.id);
    if (first === undefined) this.#runs.set(event.id, event);
    else this.#findings.violated(`request ${event.id} was run twice`, first, event);
  }
}

/** An acknowledgement alone says nothing about a second time. */
const tellers = new Set<string>(['final.op', 'store.append', 'deliver', 'request.run']);

/** Under way, refused for certain after one attempt, or possibly applied. */
type Attempt = 'pending' | 'several' | EventOf<'op.fail'>;

function seqOf(event: HistoryEvent, opId: string): number | null {
  if (event.ev === 'store.append') return event.seq + event.opIds.indexOf(opId);
  return 'seq' in event ? event.seq : null;
}
