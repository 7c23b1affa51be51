import { LRUCache } from 'lru-cache';
import type { Clock } from '../../ports/clock.ts';

export interface CacheEntry {
  readonly value: unknown;
  /** When its load began, by the monotonic clock. */
  readonly beganMs: number;
  /** Evictions of the region that were known then. */
  readonly count: number;
}

/** The values of one region on one node: a bounded number, each for a bounded time. */
export class RegionEntries {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #entries: LRUCache<string, CacheEntry>;

  constructor(clock: Clock, entriesMax: number, ttlMs: number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    // Its own time-to-live would read the machine's clock.
    this.#entries = new LRUCache({ max: entriesMax });
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): CacheEntry | null {
    return this.#living(key, this.#entries.get(key));
  }

  /** Looking does not count as use. */
  peek(key: string): CacheEntry | null {
    return this.#living(key, this.#entries.peek(key));
  }

  set(key: string, entry: CacheEntry): void {
    this.#entries.set(key, entry);
  }

  ageMs(entry: CacheEntry): number {
    return this.#clock.monotonicMs() - entry.beganMs;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Walks over all keys: a prefix is evicted seldom, and a node keeps a bounded number. */
  deletePrefix(prefix: string): void {
    for (const key of [...this.#entries.keys()]) {
      if (key.startsWith(prefix)) this.#entries.delete(key);
    }
  }

  clear(): void {
    this.#entries.clear();
  }

  #living(key: string, entry: CacheEntry | undefined): CacheEntry | null {
    if (!entry) return null;
    if (this.ageMs(entry) < this.#ttlMs) return entry;
    this.#entries.delete(key);
    return null;
  }
}
