import { cacheLimits } from '../../foundation/limits.ts';
import type {
  CacheEviction,
  CacheMark,
  CacheRead,
  CacheScope,
  CacheStamp,
  CacheWrite,
} from '../../ports/cache-records.ts';

interface CachedValue {
  readonly value: Uint8Array;
  /** The count of evictions when its load began. */
  readonly count: number;
  readonly expiresMs: number;
}

interface EvictedScope {
  readonly count: number;
  readonly expiresMs: number;
}

interface Region {
  readonly birth: string;
  stamp: CacheStamp;
  expiresMs: number;
  shares: boolean;
  /** Values whose load began before this are evicted. */
  floor: number;
  readonly values: Map<string, CachedValue>;
  readonly keys: Map<string, EvictedScope>;
  readonly prefixes: Map<string, EvictedScope>;
}

/** What a broker holds for caches: plain data, with times by the broker's clock. */
export class MemoryCacheBook {
  readonly #regions: Map<string, Region>;

  constructor(regions: Map<string, Region> = new Map()) {
    this.#regions = regions;
  }

  copy(): MemoryCacheBook {
    const regions = [...this.#regions].map(([name, region]): [string, Region] => [
      name,
      {
        ...region,
        values: new Map(region.values),
        keys: new Map(region.keys),
        prefixes: new Map(region.prefixes),
      },
    ]);
    return new MemoryCacheBook(new Map(regions));
  }

  join(name: string, token: string, shares: boolean, nowMs: number): CacheStamp {
    const region = this.#region(name, nowMs) ?? this.#begin(name, token, token);
    region.expiresMs = nowMs + cacheLimits.regionMsMax;
    region.shares ||= shares;
    return region.stamp;
  }

  /** The stamp before and after; null when it is not the one that was seen. */
  evict(
    { region: name, scope, token, seen }: Omit<CacheEviction, 'channel' | 'announcement'>,
    nowMs: number,
  ): { before: CacheStamp; stamp: CacheStamp } | null {
    const found = this.#region(name, nowMs);
    if (seen && (seen.count !== found?.stamp.count || seen.token !== found.stamp.token)) {
      return null;
    }
    const region = found ?? this.#begin(name, token, '');
    const before = region.stamp;
    if (before.token === token) return { before, stamp: before };
    region.stamp = { count: before.count + 1, token };
    region.expiresMs = nowMs + cacheLimits.regionMsMax;
    if (region.shares) remember(region, scope, nowMs);
    return { before, stamp: region.stamp };
  }

  stamp(name: string, nowMs: number): CacheStamp | null {
    return this.#region(name, nowMs)?.stamp ?? null;
  }

  read(name: string, key: string, nowMs: number): CacheRead {
    const region = this.#region(name, nowMs);
    if (!region) return { value: null, mark: { birth: '', count: 0, atMs: nowMs } };
    const mark: CacheMark = { birth: region.birth, count: region.stamp.count, atMs: nowMs };
    const found = region.values.get(key);
    const holds =
      found && found.expiresMs > nowMs && found.count >= lastEviction(region, key, nowMs);
    return { value: holds ? new Uint8Array(found.value) : null, mark };
  }

  write({ region: name, key, value, ttlMs, mark }: CacheWrite, nowMs: number): boolean {
    const region = this.#region(name, nowMs);
    if (!region?.shares || region.birth !== mark.birth) return false;
    if (region.stamp.count < mark.count) return false;
    const tookMs = nowMs - mark.atMs;
    if (tookMs < 0 || tookMs > cacheLimits.loadMsMax) return false;
    if (lastEviction(region, key, nowMs) > mark.count) return false;
    const expiresMs = nowMs + ttlMs;
    region.values.set(key, { value: new Uint8Array(value), count: mark.count, expiresMs });
    return true;
  }

  names(): string[] {
    return [...this.#regions.keys()];
  }

  #region(name: string, nowMs: number): Region | null {
    const region = this.#regions.get(name);
    if (!region || region.expiresMs > nowMs) return region ?? null;
    this.#regions.delete(name);
    return null;
  }

  #begin(name: string, birth: string, token: string): Region {
    const region = {
      ...{ birth, stamp: { count: 0, token }, expiresMs: 0, shares: false, floor: 0 },
      ...{ values: new Map(), keys: new Map(), prefixes: new Map() },
    };
    this.#regions.set(name, region);
    return region;
  }
}

function remember(region: Region, scope: CacheScope, nowMs: number): void {
  const { count } = region.stamp;
  if (scope.kind === 'key') {
    region.values.delete(scope.key);
    for (const [key, { expiresMs }] of region.keys) {
      if (expiresMs > nowMs) break;
      region.keys.delete(key);
    }
    // Deleted first, so that the order of the map is that of the times.
    region.keys.delete(scope.key);
    region.keys.set(scope.key, { count, expiresMs: nowMs + cacheLimits.loadMsMax });
    return;
  }
  if (scope.kind === 'prefix' && region.prefixes.size < cacheLimits.prefixesMax) {
    const expiresMs = nowMs + cacheLimits.regionMsMax;
    region.prefixes.set(scope.prefix, { count, expiresMs });
    return;
  }
  region.floor = count;
  region.prefixes.clear();
}

/** The count of the last eviction that covers the key; 0 when there was none. */
function lastEviction(region: Region, key: string, nowMs: number): number {
  let last = region.floor;
  const evicted = region.keys.get(key);
  if (evicted && evicted.expiresMs > nowMs) last = Math.max(last, evicted.count);
  for (const [prefix, { count }] of region.prefixes) {
    if (key.startsWith(prefix)) last = Math.max(last, count);
  }
  return last;
}
