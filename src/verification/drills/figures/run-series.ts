/** A run as a picture shows it. All times are since the first event of the history. */
export interface RunSeries {
  readonly durationMs: number;
  /** From the first op to the last word about one; null without ops. */
  readonly load: Span | null;
  readonly bucketMs: number;
  readonly buckets: readonly SeriesBucket[];
  /** By name. Spans of documents point into this list. */
  readonly nodes: readonly NodeLane[];
  /** How many documents had an owner. */
  readonly documents: number;
  /** The most interesting of them, and the most interesting first. */
  readonly lanes: readonly DocumentLane[];
}

export interface Span {
  readonly fromMs: number;
  /** Null: until the end of the history. */
  readonly toMs: number | null;
}

export interface SeriesBucket {
  readonly acknowledged: number;
  readonly failed: number;
  readonly unknown: number;
  /** Of the ops submitted in this bucket; null when none was acknowledged. */
  readonly latency: {
    readonly p50Ms: number;
    readonly p99Ms: number;
    readonly maxMs: number;
  } | null;
  /** How many documents each node owned at its end, in the order of the nodes. */
  readonly owned: readonly number[];
  /** How many had had an owner by then, who may have lost them. */
  readonly everOwned: number;
}

export interface NodeLane {
  readonly nodeId: string;
  /** While its process was meant to live; empty when nobody told. */
  readonly up: readonly Span[];
  /** While it was a member of the cluster. */
  readonly member: readonly Span[];
}

export interface DocumentLane {
  readonly doc: string;
  readonly owners: readonly OwnerSpan[];
  /** What was before the first of them was not kept: there were too many. */
  readonly isCut: boolean;
}

export interface OwnerSpan extends Span {
  /** The place of the owner in the list of nodes. */
  readonly node: number;
  readonly epoch: number;
}
