/**
 * What the caches of all nodes agree on: how often each region was evicted, and values that nodes
 * share. A region's stamp is the count of its evictions and the token of the last one, so that two
 * stamps are equal exactly when nothing was evicted in between, also after data were lost.
 *
 * The danger: a value that was loaded before an eviction and is written after it would stay. So a
 * write says what its load had read before it began.
 *
 * Laws, each a test in `test/conformance/cache-records.ts`:
 *  1. `join` gives a region its first stamp; every later one gets the stamp that is there.
 *  2. `evict` counts by one, remembers its token, and publishes the announcement followed by
 *     `evictionTrailer`, all in one step; the same token again, when it is the last, changes nothing.
 *  3. `evict` with `seen` changes nothing unless that is the stamp.
 *  4. `look` answers each region's stamp, null where none is; and a name of the broker that changes
 *     when it lost or rewound its data.
 *  5. What was written is read until its time is over, or its key, a prefix of it or its region was
 *     evicted.
 *  6. `write` changes nothing when something that covers the key was evicted after the read it names,
 *     or when that read is too long ago.
 *  7. Any region, key and prefix is kept apart from every other.
 *  8. `regions` names every region that was joined.
 */
export interface CacheRecords {
  /** `token`: of the first stamp, should the region have none. `shares`: values are written too. */
  join(region: string, token: string, shares: boolean): Promise<CacheStamp>;
  evict(eviction: CacheEviction): Promise<CacheEvictionAnswer>;
  look(regions: readonly string[]): Promise<CacheLook>;
  read(region: string, key: string): Promise<CacheRead>;
  write(write: CacheWrite): Promise<'written' | 'refused'>;
  regions(): Promise<string[]>;
}

export interface CacheStamp {
  readonly count: number;
  readonly token: string;
}

/** What is evicted: one key, every key that begins with a text, or the whole region. */
export type CacheScope =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'region' };

export interface CacheEviction {
  readonly region: string;
  readonly scope: CacheScope;
  /** 16 characters, drawn for this eviction. */
  readonly token: string;
  readonly seen: CacheStamp | null;
  readonly channel: string;
  readonly announcement: Uint8Array;
}

export type CacheEvictionAnswer =
  | { readonly status: 'evicted'; readonly stamp: CacheStamp; readonly receivers: number }
  /** It is not the stamp that was seen. */
  | { readonly status: 'changed' };

export interface CacheLook {
  readonly broker: string;
  readonly stamps: readonly (CacheStamp | null)[];
}

export interface CacheRead {
  readonly value: Uint8Array | null;
  readonly mark: CacheMark;
}

/** Where a load began: the count of evictions and the broker's own time. */
export interface CacheMark {
  /** Of the region's first stamp; empty when it has none. */
  readonly birth: string;
  readonly count: number;
  readonly atMs: number;
}

export interface CacheWrite {
  readonly region: string;
  readonly key: string;
  readonly value: Uint8Array;
  readonly ttlMs: number;
  /** What `read` answered before the value was loaded. */
  readonly mark: CacheMark;
}

export const cacheTokenLength = 16;
const countDigits = 16;
export const evictionTrailerBytes = countDigits + cacheTokenLength;

/** What follows an announcement: the new count in 16 digits, and the token of the stamp before. */
export function evictionTrailer(count: number, before: string): string {
  return String(count).padStart(countDigits, '0') + before.padEnd(cacheTokenLength).slice(0, 16);
}

/** The other way round; null for anything else. */
export function readEvictionTrailer(
  bytes: Uint8Array,
): { readonly count: number; readonly before: string } | null {
  const parts = /^(\d{16})([0-9a-z ]{16})$/.exec(Buffer.from(bytes).toString('latin1'));
  const count = Number(parts?.[1]);
  if (!parts || !Number.isSafeInteger(count)) return null;
  return { count, before: (parts[2] as string).trim() };
}
