import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, entryOf, Findings, type Law, type Verdict } from '../law.ts';

/** Every acknowledged op is in the final log, at the seq it was acknowledged with. */
export class AckedIsKept implements Law {
  readonly name = 'acked-is-kept';
  readonly promise = 'an acknowledged op is in the log, where it was said to be';
  readonly #findings = new Findings();
  /** Acknowledgements not yet found in the log: document, seq. */
  readonly #open = new Map<string, Map<number, EventOf<'op.ok'>>>();
  /** Documents whose log has been listed, or begun to be. */
  readonly #listed = new Set<string>();
  #acked = 0;
  #beforeLog = 0;

  observe(event: HistoryEvent): void {
    if (event.ev === 'op.ok') this.#acknowledged(event);
    else if (event.ev === 'final.op') this.#logged(event);
    else if (event.ev === 'final.head') this.#readWhole(event);
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict(): Verdict {
    const open = [...this.#open.values()].filter((acks) => acks.size > 0).length;
    const kept = `${counted(this.#findings.checked, 'acknowledged op')} looked for in the log`;
    if (this.#acked === 0) return this.#findings.verdict('', 'nothing was acknowledged');
    if (open > 0) {
      const missing = counted(open, 'document');
      return this.#findings.verdict(kept, `the final log of ${missing} was not read`);
    }
    if (this.#beforeLog > 0) {
      const behind = counted(this.#beforeLog, 'acknowledged op stands', 'acknowledged ops stand');
      return this.#findings.verdict(kept, `${behind} before what is left of the log`);
    }
    return this.#findings.verdict(kept, null);
  }

  #acknowledged(ack: EventOf<'op.ok'>): void {
    const acks = entryOf(this.#open, ack.doc, () => new Map());
    const other = acks.get(ack.seq);
    if (other === undefined) {
      this.#acked += 1;
      acks.set(ack.seq, ack);
    } else if (other.opId !== ack.opId) {
      this.#findings.violated(
        `${other.opId} and ${ack.opId} were both acknowledged as seq ${ack.seq} of ${ack.doc}`,
        other,
        ack,
      );
    }
  }

  #logged(entry: EventOf<'final.op'>): void {
    this.#listed.add(entry.doc);
    const acks = this.#open.get(entry.doc);
    const ack = acks?.get(entry.seq);
    if (ack === undefined) return;
    acks?.delete(entry.seq);
    this.#findings.checked += 1;
    if (ack.opId !== entry.opId) {
      this.#findings.violated(
        `${ack.opId} was acknowledged as seq ${ack.seq} of ${ack.doc}; the log has ${entry.opId} there`,
        ack,
        entry,
      );
    }
  }

  #readWhole(head: EventOf<'final.head'>): void {
    const acks = this.#open.get(head.doc);
    // An end without the ops before it tells nothing about what they are.
    if (acks === undefined || (head.seq > 0 && !this.#listed.has(head.doc))) return;
    for (const ack of acks.values()) {
      if (ack.seq < (head.from ?? 1)) {
        this.#beforeLog += 1;
        continue;
      }
      this.#findings.checked += 1;
      this.#findings.violated(
        `${ack.opId} was acknowledged as seq ${ack.seq} of ${ack.doc}, and is not in the log`,
        ack,
        head,
      );
    }
    acks.clear();
  }
}
