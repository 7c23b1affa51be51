import type { HistoryEvent } from '../history-event.ts';
import { HistoryReader } from '../history-reader.ts';
import type { HistorySource, LawReport } from '../judge-history.ts';
import { RecoveryWatch } from '../recovery-watch.ts';
import type { DrillFigures, FaultReport } from './drill-report.ts';
import { LatencyHistogram } from './figures/latency-histogram.ts';
import { NodeDiary } from './figures/node-diary.ts';
import { latencyFigures, OpLedger } from './figures/op-ledger.ts';
import { OwnerDiary } from './figures/owner-diary.ts';
import type { RunSeries, SeriesBucket } from './figures/run-series.ts';
import { TimeBuckets } from './figures/time-buckets.ts';

/** When a fault was there, and how long documents waited because of it. */
export interface FaultTimes extends Pick<FaultReport, 'id' | 'startMs' | 'endMs' | 'recoveryMs'> {
  /** As the history calls it: `kill on n2`. */
  readonly label: string;
}

interface Bucket {
  acknowledged: number;
  failed: number;
  unknown: number;
  latency: LatencyHistogram | null;
  owners: { readonly counts: readonly number[]; readonly documents: number } | null;
}

/** Half of it is less than the width of a line in the picture. */
const bucketPrecision = 0.05;
/** A bucket with fewer acknowledgements than this shows chance. */
const bucketOpsMin = 8;
const bucketsShown = { min: 60, max: 240 };
const nodesMax = 64;
const faultsMax = 10_000;

/**
 * Measures a run while it goes or from its history: what a report says in figures, how long each
 * fault hurt, and what a picture of it shows. Sees every event once, in order, and keeps an amount
 * of memory that does not grow with the length of the run.
 */
export class RunFigures {
  readonly #ledger = new OpLedger();
  readonly #nodes = new NodeDiary();
  readonly #owners = new OwnerDiary();
  readonly #faults = new Map<string, { -readonly [Key in keyof FaultTimes]: FaultTimes[Key] }>();
  readonly #recovery = new RecoveryWatch({
    waited: ({ period, waitedMs }) => this.#waited(period.faults, waitedMs),
  });
  readonly #buckets = new TimeBuckets<Bucket>({ make: newBucket, merge: mergeBuckets });
  readonly #places = new Map<string, number>();
  #startMs: number | null = null;
  #nowMs = 0;

  observe(event: HistoryEvent): void {
    this.#startMs ??= event.atMs;
    this.#nowMs = event.atMs;
    this.#recovery.observe(event);
    this.#observeOps(event);
    this.#observeOwners(event);
    this.#nodes.observe(event);
    this.#observeFaults(event);
  }

  /** The history ends here: who still waits has waited until now. Once, before anything is asked. */
  end(): void {
    this.#recovery.end(this.#nowMs);
  }

  figures(): DrillFigures {
    return { ...this.#ledger.figures(), takeovers: this.#owners.takeovers };
  }

  faults(): FaultTimes[] {
    return [...this.#faults.values()].map((fault) => ({ ...fault }));
  }

  /** The laws say which documents are worth a look. */
  series(laws: readonly LawReport[] = []): RunSeries {
    const startMs = this.#startMs ?? 0;
    const { load } = this.#ledger;
    const durationMs = this.#nowMs - startMs;
    const { acknowledged } = this.#ledger.figures().ops;
    const wanted = Math.round(acknowledged / bucketOpsMin);
    const count = Math.min(bucketsShown.max, Math.max(bucketsShown.min, wanted));
    const loadMs = load === null ? durationMs : load.toMs - load.fromMs;
    const shown = Math.ceil(count * Math.max(1, durationMs / Math.max(1, loadMs)));
    const { widthMs, buckets } = this.#buckets.joined(durationMs, shown);
    for (const nodeId of this.#nodes.nodeIds()) this.#placeOf(nodeId);
    // Colours go by name, so that two runs of one scenario look alike.
    const names = [...this.#places.keys()].sort(byName);
    const lanes = this.#owners.lanes(documentsIn(laws), startMs);
    const placeByName = [...this.#places.keys()].map((nodeId) => names.indexOf(nodeId));
    return {
      durationMs,
      load: load && { fromMs: load.fromMs - startMs, toMs: load.toMs - startMs },
      bucketMs: widthMs,
      buckets: shownBuckets(buckets, placeByName),
      nodes: names.map((nodeId) => this.#nodes.lane(nodeId, startMs)),
      documents: this.#owners.documents,
      lanes: lanes.map(({ owners, ...lane }) => ({
        ...lane,
        owners: owners.map((span) => ({ ...span, node: placeByName[span.node] ?? 0 })),
      })),
    };
  }

  #observeOps(event: HistoryEvent): void {
    const fate = this.#ledger.observe(event);
    if (fate === null) return;
    this.#bucketAt(event.atMs)[fate.fate] += 1;
    if (fate.fate !== 'acknowledged') return;
    const sent = this.#bucketAt(fate.sentMs);
    sent.latency ??= new LatencyHistogram(bucketPrecision);
    sent.latency.add(fate.latencyMs);
  }

  #observeOwners(event: HistoryEvent): void {
    if (!this.#changesOwners(event)) return;
    const counts = this.#owners.counts();
    this.#bucketAt(event.atMs).owners = { counts, documents: this.#owners.documents };
  }

  #changesOwners(event: HistoryEvent): boolean {
    switch (event.ev) {
      case 'lease.grant':
      case 'serve':
        return this.#owns(event);
      case 'store.fence':
      case 'store.append':
        return event.outcome === 'ok' && this.#owns(event);
      case 'session.gone':
        return event.certainty !== 'indefinite' && this.#owners.ended(event.session, event.atMs);
      case 'node.down': {
        const sessions = this.#nodes.sessionsOf(event.nodeId);
        return sessions.filter((each) => this.#owners.ended(each, event.atMs)).length > 0;
      }
      default:
        return false;
    }
  }

  #owns(event: HistoryEvent & { doc: string; session: string; epoch: number }): boolean {
    const node = this.#placeOf(this.#nodes.nodeOf(event.session));
    return this.#owners.owns(event, node, event.atMs);
  }

  #observeFaults(event: HistoryEvent): void {
    const sinceMs = event.atMs - (this.#startMs ?? 0);
    if (event.ev === 'fault.start' && this.#faults.size < faultsMax) {
      const { id, fault: label } = event;
      this.#faults.set(id, { id, label, startMs: sinceMs, endMs: null, recoveryMs: null });
    } else if (event.ev === 'fault.end') {
      const fault = this.#faults.get(event.id);
      if (fault !== undefined) fault.endMs ??= sinceMs;
    }
  }

  #waited(ids: readonly string[], waitedMs: number): void {
    for (const id of ids) {
      const fault = this.#faults.get(id);
      if (fault === undefined) continue;
      const waited = Math.round(waitedMs * 100) / 100;
      fault.recoveryMs = Math.max(fault.recoveryMs ?? 0, waited);
    }
  }

  #bucketAt(atMs: number): Bucket {
    return this.#buckets.at(atMs - (this.#startMs ?? 0));
  }

  /** The place of a node in the picture; more than it has room for share the last. */
  #placeOf(nodeId: string): number {
    const known = this.#places.get(nodeId);
    if (known !== undefined) return known;
    const name = this.#places.size < nodesMax - 1 ? nodeId : 'others';
    const place = this.#places.get(name) ?? this.#places.size;
    this.#places.set(name, place);
    return place;
  }
}

/** The same of a history as it comes in. Fails with HISTORY_INVALID. */
export async function figuresOf({ name, pieces }: HistorySource): Promise<RunFigures> {
  const reader = new HistoryReader(name);
  const run = new RunFigures();
  for await (const piece of pieces) {
    for (const event of reader.push(piece)) run.observe(event);
  }
  reader.end();
  run.end();
  return run;
}

function newBucket(): Bucket {
  return { acknowledged: 0, failed: 0, unknown: 0, latency: null, owners: null };
}

function mergeBuckets(into: Bucket, later: Bucket): void {
  into.acknowledged += later.acknowledged;
  into.failed += later.failed;
  into.unknown += later.unknown;
  into.owners = later.owners ?? into.owners;
  if (later.latency === null) return;
  into.latency ??= new LatencyHistogram(bucketPrecision);
  into.latency.merge(later.latency);
}

/** Who owns how many lasts until it changes. */
function shownBuckets(
  buckets: readonly (Bucket | undefined)[],
  places: readonly number[],
): SeriesBucket[] {
  let owners: NonNullable<Bucket['owners']> = { counts: [], documents: 0 };
  return Array.from(buckets, (bucket) => {
    owners = bucket?.owners ?? owners;
    const { acknowledged, failed, unknown, latency } = bucket ?? newBucket();
    return {
      ...{ acknowledged, failed, unknown },
      latency: latency && latencyFigures(latency),
      owned: inPlaces(owners.counts, places),
      everOwned: owners.documents,
    };
  });
}

function documentsIn(laws: readonly LawReport[]): Set<string> {
  const events = laws.flatMap(({ counterexamples }) =>
    counterexamples.flatMap((each) => each.events),
  );
  return new Set(events.map(({ event }) => event.doc).filter((doc) => typeof doc === 'string'));
}

function inPlaces(counts: readonly number[], places: readonly number[]): number[] {
  const placed = places.map(() => 0);
  places.forEach((place, seen) => {
    placed[place] = counts[seen] ?? 0;
  });
  return placed;
}

/** With `n2` before `n10`. */
function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
