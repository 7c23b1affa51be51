/** What an application says about a cache region of its node; all but the name has a default. */
export interface CacheOptions<Value = unknown> {
  /** One word, the same on every node: letters, digits, dot, colon, dash and underscore. */
  readonly region: string;
  /** Values this node keeps; the one used longest ago goes first. */
  readonly entriesMax?: number;
  /** A value is loaded again this long after its load began. */
  readonly ttlMs?: number;
  /** Values are shared through the broker, too, so that one node's load serves all. */
  readonly l2?: { readonly ttlMs?: number } | false;
  /** How long a value may be served without proof that no eviction was missed. */
  readonly stalenessMs?: number;
  /**
   * What `get` does after that: `bypass` loads every time, `fail` throws CACHE_STALE, `serve` goes on
   * with what it has, for as long as its time-to-live allows.
   */
  readonly whenCut?: WhenCut;
  /** How a shared value is written; JSON, unless both are given. */
  readonly encode?: (value: Value) => Uint8Array;
  readonly decode?: (bytes: Uint8Array) => Value;
}

export type WhenCut = 'bypass' | 'fail' | 'serve';

/** Fetches what a key stands for. `undefined` is handed on and never kept; `null` is a value. */
export type CacheLoad<Value> = (key: string) => Promise<Value> | Value;

/**
 * Values of one region, kept on this node, and evicted on every node at once.
 *
 * Change the source first, and evict then. When an eviction has resolved, no node serves a value
 * loaded before it for longer than `stalenessMs`, whatever became of messages, nodes and broker;
 * usually it is a millisecond. Of a region with `whenCut: 'serve'` this holds while the broker can
 * be reached.
 */
export interface Cache<Value> {
  readonly region: string;
  /**
   * The value, loading it when it is not there. Callers who want one key at once share one load.
   * Throws what the load threw, CACHE_STALE, OVERLOADED, CLOSED.
   */
  get(key: string, load: CacheLoad<Value>): Promise<Value>;
  /** What this node would serve without a load. */
  peek(key: string): Value | undefined;
  /** Throws BACKPLANE_UNREACHABLE or BACKPLANE_LOST: then other nodes may not know. */
  evict(key: string): Promise<void>;
  evictPrefix(prefix: string): Promise<void>;
  evictRegion(): Promise<void>;
  /** This node leaves the region. */
  close(): Promise<void>;
}

/** The caches of a node. */
export interface NodeCaches {
  /** At once; it joins the region in the background. Throws CONFIG_INVALID, NAME_INVALID, CONFLICT. */
  create<Value>(options: CacheOptions<Value>): Cache<Value>;
  /** Every region that any node of the cluster has, on every node. */
  evictAll(): Promise<void>;
}

/** One region of one node, for people and programs. */
export interface CacheRegionReport {
  readonly region: string;
  readonly nodeId: string;
  readonly state: 'joining' | 'current' | 'cut';
  readonly entries: number;
  readonly entriesMax: number;
  readonly hits: number;
  readonly misses: number;
  /** Hits per get; null before the first. */
  readonly hitRate: number | null;
  readonly loads: number;
  /** Callers who shared the load of another. */
  readonly joined: number;
  readonly loadFailures: number;
  readonly l2: boolean;
  readonly l2Hits: number;
  readonly l2Refused: number;
  readonly l2Failures: number;
  /** Announcements heard of evictions by other nodes and by this one. */
  readonly evictionsHeard: number;
  readonly evictionsSent: number;
  /** Announcements heard per eviction: 1 when each reached this node exactly once. */
  readonly echoFactor: number | null;
  /** Times that announcements were missed, and times that the region was emptied for any reason. */
  readonly gaps: number;
  readonly flushes: number;
  /** Gets that were loaded, refused or served in doubt while the broker could not be asked. */
  readonly inDoubt: number;
  /** Evictions of the region that this node knows of. */
  readonly stamp: number | null;
  /** Since it was last proved that none was missed. */
  readonly confirmedAgoMs: number | null;
  readonly stalenessMs: number;
  readonly whenCut: WhenCut;
}

/** What one node holds for a key. */
export interface CacheProbe {
  readonly nodeId: string;
  readonly state: CacheRegionReport['state'];
  readonly held: boolean;
  /** Of the value as it would be shared; null when none is held, or it cannot be written. */
  readonly hash: string | null;
  readonly ageMs: number | null;
  readonly expiresInMs: number | null;
  /** Evictions of the region that were known when the load began. */
  readonly loadedAt: number | null;
  readonly stamp: number | null;
  readonly confirmedAgoMs: number | null;
}
