import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, entryOf, Findings, type Law, type Verdict } from '../law.ts';

type Heard = EventOf<'deliver'> | EventOf<'subscribe'>;

/** Logs and subscribers count 1, 2, 3 …, and every subscriber gets to the end of the log. */
export class SeqWithoutGap implements Law {
  readonly name = 'seq-without-gap';
  readonly promise = 'no subscriber and no log misses a seq, the last one included';
  readonly #findings = new Findings();
  /** What each subscriber heard last: document, subscriber. */
  readonly #heard = new Map<string, Map<string, Heard>>();
  readonly #begun = new Map<string, EventOf<'final.op'>>();
  readonly #logged = new Map<string, EventOf<'final.op'>>();
  readonly #appended = new Map<string, EventOf<'store.append'>>();
  /** Documents that may have had an append since the last one that is known to have been taken. */
  readonly #blurred = new Set<string>();
  readonly #headless = new Set<string>();

  observe(event: HistoryEvent): void {
    switch (event.ev) {
      case 'subscribe':
        this.#heardOf(event.doc).set(event.subscriber, event);
        return;
      case 'unsubscribe':
        this.#heard.get(event.doc)?.delete(event.subscriber);
        return;
      case 'deliver':
        return this.#deliver(event);
      case 'store.append':
        if (event.outcome === 'ok') this.#append(event);
        else if (event.outcome === 'unknown') this.#blurred.add(event.doc);
        return;
      case 'store.unseen':
        for (const doc of this.#appended.keys()) this.#blurred.add(doc);
        return;
      case 'final.op':
        return this.#log(event);
      case 'final.head':
        return this.#head(event);
      default:
        return;
    }
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict(): Verdict {
    const { checked } = this.#findings;
    if (checked === 0) return this.#findings.verdict('', 'no delivery and no log was seen');
    const tails = [...this.#heard].filter(
      ([doc, heard]) => heard.size > 0 && this.#headless.has(doc),
    ).length;
    const missing = `where the log of ${counted(tails, 'document')} ends was not read`;
    return this.#findings.verdict(
      `${counted(checked, 'step')} from seq to seq`,
      tails > 0 ? missing : null,
    );
  }

  #heardOf(doc: string): Map<string, Heard> {
    return entryOf(this.#heard, doc, () => {
      this.#headless.add(doc);
      return new Map();
    });
  }

  #deliver(event: EventOf<'deliver'>): void {
    const heard = this.#heardOf(event.doc);
    const last = heard.get(event.subscriber);
    this.#findings.checked += 1;
    if (last !== undefined && event.seq > seqOf(last) + 1) {
      this.#findings.violated(
        `${event.subscriber} got seq ${event.seq} of ${event.doc} after seq ${seqOf(last)}`,
        last,
        event,
      );
    }
    if (last === undefined || event.seq > seqOf(last)) heard.set(event.subscriber, event);
  }

  #append(event: EventOf<'store.append'>): void {
    const last = this.#appended.get(event.doc);
    this.#findings.checked += 1;
    const next = last === undefined ? event.seq : last.seq + last.opIds.length;
    const skipped = event.seq > next && !this.#blurred.delete(event.doc);
    if (event.seq < next || skipped) {
      this.#findings.violated(
        `the store took seq ${event.seq} of ${event.doc} when it had seq ${next - 1}`,
        last,
        event,
      );
    }
    this.#appended.set(event.doc, event);
  }

  #log(event: EventOf<'final.op'>): void {
    const last = this.#logged.get(event.doc);
    this.#findings.checked += 1;
    if (last === undefined) this.#begun.set(event.doc, event);
    else if (event.seq !== last.seq + 1) {
      this.#findings.violated(
        `the log of ${event.doc} has seq ${event.seq} after seq ${last.seq}`,
        last,
        event,
      );
    }
    this.#logged.set(event.doc, event);
  }

  #head(event: EventOf<'final.head'>): void {
    const { doc, seq } = event;
    this.#headless.delete(doc);
    const [first, last] = [this.#begun.get(doc), this.#logged.get(doc)];
    const from = event.from ?? 1;
    if (first !== undefined && first.seq !== from) {
      this.#findings.violated(
        `the log of ${doc} begins with seq ${first.seq} instead of ${from}`,
        first,
        event,
      );
    }
    if (last !== undefined && last.seq !== seq) {
      this.#findings.violated(
        `the log of ${doc} ends at seq ${seq}, and was read to seq ${last.seq}`,
        last,
        event,
      );
    }
    for (const [subscriber, heard] of this.#heard.get(doc) ?? []) {
      this.#findings.checked += 1;
      if (seqOf(heard) === seq) continue;
      this.#findings.violated(
        `${subscriber} is at seq ${seqOf(heard)} of ${doc}, whose log ends at seq ${seq}`,
        heard,
        event,
      );
    }
  }
}

function seqOf(heard: Heard): number {
  return heard.ev === 'subscribe' ? heard.after : heard.seq;
}
