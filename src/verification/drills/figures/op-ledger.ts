import type { EventOf, HistoryEvent } from '../../history-event.ts';
import { entryOf } from '../../law.ts';
import type { DrillFigures } from '../drill-report.ts';
import { LatencyHistogram } from './latency-histogram.ts';

/** What became of an op, for whoever draws it. */
export type OpFate =
  | { readonly fate: 'acknowledged'; readonly sentMs: number; readonly latencyMs: number }
  | { readonly fate: 'failed' | 'unknown' };

/** A percentile to five parts in a thousand: half of what a budget may be missed by. */
const precision = 0.002;
const pauseMsMax = 1_000;

/** Counts ops, deliveries and requests, and how long acknowledgements took. */
export class OpLedger {
  /** Since when each op is under way: document, opId. */
  readonly #pending = new Map<string, Map<string, number>>();
  readonly #latency = new LatencyHistogram(precision);
  readonly #ops = { sent: 0, acknowledged: 0, failed: 0, unknown: 0 };
  readonly #requests = { sent: 0, answered: 0, failed: 0 };
  #deliveries = 0;
  #firstMs: number | null = null;
  #lastMs = 0;
  #activeMs = 0;

  /** The time from the first op to the last word about one. */
  get load(): { readonly fromMs: number; readonly toMs: number } | null {
    return this.#firstMs === null ? null : { fromMs: this.#firstMs, toMs: this.#lastMs };
  }

  /** Answers what became of an op, when the event says so. */
  observe(event: HistoryEvent): OpFate | null {
    switch (event.ev) {
      case 'op.invoke':
        return this.#invoked(event);
      case 'op.ok':
      case 'op.fail':
        return this.#ended(event);
      case 'deliver':
        this.#deliveries += 1;
        return null;
      case 'request.send':
        this.#requests.sent += 1;
        return null;
      case 'request.end':
        if (event.outcome === 'ok') this.#requests.answered += 1;
        else if (event.outcome === 'failed') this.#requests.failed += 1;
        return null;
      default:
        return null;
    }
  }

  /** Of ops that are still under way nobody knows what became of them. */
  figures(): Omit<DrillFigures, 'takeovers'> {
    const { sent, acknowledged, failed } = this.#ops;
    const seconds = this.#activeMs / 1_000;
    const latency = this.#latency;
    return {
      ops: {
        ...{ sent, acknowledged, failed, unknown: sent - acknowledged - failed },
        perSecond: seconds > 0 ? Math.round((acknowledged / seconds) * 10) / 10 : 0,
      },
      deliveries: this.#deliveries,
      requests: { ...this.#requests },
      latency: latency.count === 0 ? null : latencyFigures(latency),
    };
  }

  #invoked({ doc, opId, atMs }: EventOf<'op.invoke'>): null {
    this.#seen(atMs);
    const pending = entryOf(this.#pending, doc, () => new Map<string, number>());
    if (pending.has(opId)) return null;
    pending.set(opId, atMs);
    this.#ops.sent += 1;
    return null;
  }

  /** Longer pauses are no load: documents are claimed some time before it begins. */
  #seen(atMs: number): void {
    if (this.#firstMs !== null) this.#activeMs += Math.min(atMs - this.#lastMs, pauseMsMax);
    this.#firstMs ??= atMs;
    this.#lastMs = atMs;
  }

  #ended(event: EventOf<'op.ok' | 'op.fail'>): OpFate | null {
    const pending = this.#pending.get(event.doc);
    const sentMs = pending?.get(event.opId);
    if (sentMs === undefined) return null;
    pending?.delete(event.opId);
    this.#seen(event.atMs);
    if (event.ev === 'op.ok') {
      this.#ops.acknowledged += 1;
      const latencyMs = event.atMs - sentMs;
      this.#latency.add(latencyMs);
      return { fate: 'acknowledged', sentMs, latencyMs };
    }
    const fate = event.certainty === 'definite' ? 'failed' : 'unknown';
    this.#ops[fate] += 1;
    return { fate };
  }
}

/** To a hundredth of a millisecond. */
export function latencyFigures(latency: LatencyHistogram) {
  const rounded = (ms: number) => Math.round(ms * 100) / 100;
  return {
    p50Ms: rounded(latency.percentileMs(0.5)),
    p99Ms: rounded(latency.percentileMs(0.99)),
    maxMs: rounded(latency.maxMs),
  };
}
