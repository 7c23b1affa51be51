import { formatDuration } from '../../foundation/duration.ts';
import { FaultWatch } from '../fault-watch.ts';
import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, entryOf, Findings, type HistoryEnd, type Law, type Verdict } from '../law.ts';

type Ack = EventOf<'op.ok'>;

interface Subscriber {
  readonly name: string;
  seq: number;
  sinceMs: number;
}

interface Followed {
  readonly doc: string;
  readonly subscribers: Map<string, Subscriber>;
  /** What may not have reached everybody yet, by seq. */
  readonly acks: Map<number, Ack>;
  prunedAt: number;
}

/** Acknowledgements after which those that everybody has are forgotten. */
const pruneAfter = 4_096;

/** An op that was acknowledged soon reaches every subscriber: one that is silent is not up to date. */
export class DeliveriesArrive implements Law {
  readonly name = 'deliveries-arrive';
  readonly promise = 'what was acknowledged soon reaches every subscriber, faults aside';
  readonly #budgetMs: number;
  readonly #findings = new Findings();
  readonly #faults = new FaultWatch();
  readonly #documents = new Map<string, Followed>();
  #worstMs = 0;

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  observe(event: HistoryEvent): void {
    // A fault would cover up who has waited for too long.
    if (event.ev === 'fault.start') this.#judgeAll(event.atMs, event);
    this.#faults.observe(event);
    switch (event.ev) {
      case 'subscribe': {
        const { subscriber: name, after: seq, atMs: sinceMs } = event;
        this.#of(event.doc).subscribers.set(name, { name, seq, sinceMs });
        return;
      }
      case 'unsubscribe':
        return this.#left(event);
      case 'op.ok':
        return this.#acknowledged(event);
      case 'deliver':
        return this.#delivered(event);
      default:
        return;
    }
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict({ atMs }: HistoryEnd): Verdict {
    this.#judgeAll(atMs, null);
    const { checked } = this.#findings;
    const slowest = formatDuration(this.#worstMs);
    return this.#findings.verdict(
      `${counted(checked, 'delivery', 'deliveries')}, the slowest after ${slowest} without a fault`,
      checked === 0 ? 'nothing that was acknowledged had a subscriber' : null,
    );
  }

  #acknowledged(ack: Ack): void {
    const followed = this.#of(ack.doc);
    followed.acks.set(ack.seq, ack);
    if (followed.acks.size < followed.prunedAt + pruneAfter) return;
    const seqs = [...followed.subscribers.values()].map(({ seq }) => seq);
    const everybodyHas = seqs.reduce((least, seq) => Math.min(least, seq), ack.seq);
    for (const seq of followed.acks.keys()) if (seq <= everybodyHas) followed.acks.delete(seq);
    followed.prunedAt = followed.acks.size;
  }

  #delivered(event: EventOf<'deliver'>): void {
    const followed = this.#of(event.doc);
    const subscriber = followed.subscribers.get(event.subscriber);
    if (subscriber === undefined || event.seq <= subscriber.seq) return;
    subscriber.seq = event.seq;
    const ack = followed.acks.get(event.seq);
    this.#findings.checked += 1;
    if (ack === undefined || this.#isLate(subscriber, ack, event.atMs, event)) return;
    this.#worstMs = Math.max(this.#worstMs, this.#waitedMs(subscriber, ack, event.atMs));
  }

  #left(event: EventOf<'unsubscribe'>): void {
    const { subscribers, acks } = this.#of(event.doc);
    const subscriber = subscribers.get(event.subscriber);
    if (subscriber === undefined) return;
    subscribers.delete(event.subscriber);
    this.#judge(subscriber, acks, event.atMs, event);
  }

  #judgeAll(atMs: number, event: HistoryEvent | null): void {
    for (const { subscribers, acks } of this.#documents.values()) {
      for (const subscriber of subscribers.values()) this.#judge(subscriber, acks, atMs, event);
    }
  }

  /** Of one that still waits. */
  #judge(
    subscriber: Subscriber,
    acks: Followed['acks'],
    atMs: number,
    event: HistoryEvent | null,
  ): void {
    const ack = acks.get(subscriber.seq + 1);
    if (ack === undefined || !this.#isLate(subscriber, ack, atMs, event)) return;
    this.#findings.checked += 1;
    // Said once, and again only if it is too late again.
    subscriber.sinceMs = atMs;
  }

  #isLate(subscriber: Subscriber, ack: Ack, atMs: number, event: HistoryEvent | null): boolean {
    const waitedMs = this.#waitedMs(subscriber, ack, atMs);
    if (waitedMs <= this.#budgetMs) return false;
    this.#worstMs = Math.max(this.#worstMs, waitedMs);
    const late = formatDuration(waitedMs);
    this.#findings.violated(
      `${subscriber.name} had waited ${late} for seq ${ack.seq} of ${ack.doc}, which was acknowledged`,
      ack,
      event,
    );
    return true;
  }

  #waitedMs({ sinceMs }: Subscriber, ack: Ack, atMs: number): number {
    const { quietSinceMs } = this.#faults;
    return quietSinceMs === null ? 0 : atMs - Math.max(ack.atMs, sinceMs, quietSinceMs);
  }

  #of(doc: string): Followed {
    return entryOf(this.#documents, doc, () => {
      return { doc, subscribers: new Map(), acks: new Map(), prunedAt: 0 };
    });
  }
}
