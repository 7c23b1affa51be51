import { createHash } from 'node:crypto';
import { asBackplaneError, BackplaneError } from '../../foundation/errors.ts';
import { checkCacheKey } from '../../foundation/identifiers.ts';
import { cacheLimits } from '../../foundation/limits.ts';
import type { CacheMark, CacheRecords, CacheScope, CacheStamp } from '../../ports/cache-records.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Counters } from '../counters.ts';
import type { CacheLoad, CacheProbe, CacheRegionReport } from './cache.ts';
import type { CacheSettings } from './cache-settings.ts';
import { type CacheEntry, RegionEntries } from './region-entries.ts';
import { type RegionLoad, RegionLoads } from './region-loads.ts';
import { type Asked, RegionStamps } from './region-stamps.ts';

export interface CacheRegionParts {
  readonly nodeId: string;
  readonly records: CacheRecords;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
}

/** Why a region is emptied: announcements were missed, or the broker lost or rewound its data. */
export type FlushCause = 'gap' | 'rewound' | 'lost' | 'replaced';

/** An announcement, as the region needs it. */
export interface HeardEviction {
  readonly scope: CacheScope;
  readonly stamp: CacheStamp;
  readonly before: string;
  readonly isOwn: boolean;
}

const noCounts = {
  ...{ hits: 0, misses: 0, loads: 0, joined: 0, loadFailures: 0, inDoubt: 0 },
  ...{ l2Hits: 0, l2Refused: 0, l2Failures: 0 },
  ...{ evictionsHeard: 0, evictionsSent: 0, distinctHeard: 0, gaps: 0, flushes: 0 },
};

/**
 * One region on one node. It serves a value only while it is proved, not longer than the staleness
 * bound ago, that no eviction was missed; the proof is looked at with every get, so it also expires
 * for a node that stood still.
 */
export class CacheRegion {
  readonly settings: CacheSettings;
  readonly stamps: RegionStamps;
  readonly #parts: CacheRegionParts;
  readonly #entries: RegionEntries;
  readonly #loads = new RegionLoads();
  readonly #counts = { ...noCounts };
  readonly #opened = Promise.withResolvers<void>();
  #isOpened = false;
  #isClosed = false;
  #wasCut = false;

  constructor(parts: CacheRegionParts, settings: CacheSettings) {
    const { clock } = parts;
    this.#parts = parts;
    this.settings = settings;
    this.stamps = new RegionStamps(clock);
    this.#entries = new RegionEntries(clock, settings.entriesMax, settings.ttlMs);
  }

  get size(): number {
    return this.#entries.size;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The first attempt to join is over, well or badly: gets need not wait for it any more. */
  opened(): void {
    this.#isOpened = true;
    this.#opened.resolve();
  }

  /** From this stamp on, every eviction is heard; what began before that is not kept. */
  joined(stamp: CacheStamp, asked: Asked): void {
    this.apply({ kind: 'region' });
    this.stamps.adopt(stamp, asked);
    this.opened();
  }

  close(): void {
    this.#isClosed = true;
    this.#entries.clear();
    this.#loads.spoil({ kind: 'region' });
    this.opened();
  }

  async get(key: string, load: CacheLoad<unknown>): Promise<unknown> {
    checkCacheKey(key);
    if (!this.#isOpened) await this.#opened.promise;
    if (this.#isClosed) throw this.#closedError();
    const isCurrent = this.isCurrent();
    if (!isCurrent) this.#refuseInDoubt();
    const entry = isCurrent || this.settings.whenCut === 'serve' ? this.#entries.get(key) : null;
    this.#count(entry ? 'hits' : 'misses', entry ? 'cache_hits_total' : 'cache_misses_total');
    if (entry) return entry.value;
    const running = this.#loads.get(key);
    if (running && (isCurrent || this.#isYoung(running))) {
      this.#counts.joined += 1;
      return running.value;
    }
    return this.#begin(key, load, isCurrent).value;
  }

  peek(key: string): unknown {
    checkCacheKey(key);
    const mayServe = this.isCurrent() || this.settings.whenCut === 'serve';
    return mayServe && !this.#isClosed ? this.#entries.peek(key)?.value : undefined;
  }

  /** Whether it is proved, recently enough, that every eviction was heard. */
  isCurrent(): boolean {
    const agoMs = this.stamps.confirmedAgoMs();
    const isCurrent = agoMs !== null && agoMs <= this.settings.stalenessMs;
    if (isCurrent === this.#wasCut && agoMs !== null) this.#tellCut(!isCurrent, agoMs);
    return isCurrent;
  }

  /** Drops what the eviction covers, here. */
  apply(scope: CacheScope): void {
    this.#loads.spoil(scope);
    if (scope.kind === 'key') this.#entries.delete(scope.key);
    else if (scope.kind === 'prefix') this.#entries.deletePrefix(scope.prefix);
    else this.#entries.clear();
  }

  /** `rewound`: the broker has lost evictions that were announced. */
  hear({ scope, stamp, before, isOwn }: HeardEviction): 'rewound' | 'fine' {
    this.#count('evictionsHeard', 'cache_evictions_heard_total');
    const knownBefore = this.stamps.known;
    const heard = this.stamps.heard(stamp, before);
    if (heard !== 'known' || (knownBefore?.count ?? 0) < stamp.count)
      this.#counts.distinctHeard += 1;
    // Its own it has applied when it sent them.
    if (!isOwn) this.apply(scope);
    if (heard === 'gap') this.#missed();
    if (heard === 'rewound') this.flush('rewound');
    return heard === 'rewound' ? 'rewound' : 'fine';
  }

  sent(): void {
    this.#count('evictionsSent', 'cache_evictions_sent_total');
  }

  #missed(): void {
    this.#count('gaps', 'cache_gaps_total');
    this.flush('gap');
  }

  /** Takes the answer of a look; a gap empties this region. */
  look(stamp: CacheStamp, asked: Asked): 'rewound' | 'fine' {
    const looked = this.stamps.looked(stamp, asked);
    if (looked === 'gap') this.#missed();
    return looked === 'rewound' ? 'rewound' : 'fine';
  }

  /** Everything that was loaded before now may be stale, here. */
  flush(cause: FlushCause): void {
    const { region } = this.settings;
    const entries = this.#entries.size;
    this.apply({ kind: 'region' });
    this.#count('flushes', 'cache_flushes_total');
    this.#parts.logger.event('info', 'cache.flushed', { region, cause, entries });
  }

  report(): CacheRegionReport {
    const { region, entriesMax, sharedTtlMs, stalenessMs, whenCut } = this.settings;
    const { distinctHeard, ...counts } = this.#counts;
    const gets = counts.hits + counts.misses;
    return {
      ...{ region, nodeId: this.#parts.nodeId, state: this.#state() },
      ...{ entries: this.#entries.size, entriesMax, ...counts },
      hitRate: gets === 0 ? null : rounded(counts.hits / gets),
      l2: sharedTtlMs !== null,
      echoFactor: distinctHeard === 0 ? null : rounded(counts.evictionsHeard / distinctHeard),
      stamp: this.stamps.known?.count ?? null,
      confirmedAgoMs: this.#confirmedAgoMs(),
      ...{ stalenessMs, whenCut },
    };
  }

  probe(key: string): CacheProbe {
    const entry = this.#entries.peek(key);
    const ageMs = entry && Math.round(this.#entries.ageMs(entry));
    return {
      ...{ nodeId: this.#parts.nodeId, state: this.#state(), held: entry !== null },
      hash: entry && hashOf(() => this.settings.encode(entry.value)),
      ageMs,
      expiresInMs: ageMs === null ? null : Math.round(this.settings.ttlMs - ageMs),
      loadedAt: entry?.count ?? null,
      stamp: this.stamps.known?.count ?? null,
      confirmedAgoMs: this.#confirmedAgoMs(),
    };
  }

  #begin(key: string, load: CacheLoad<unknown>, isCurrent: boolean): RegionLoad {
    const beganMs = this.#parts.clock.monotonicMs();
    const count = this.stamps.known?.count ?? 0;
    const isJoined = this.stamps.known !== null;
    return this.#loads.begin({ key, beganMs, count }, async (running) => {
      // What was evicted before it joined, nobody told.
      if (!isJoined) running.spoiled = true;
      const shared = isCurrent ? await this.#readShared(key) : null;
      const value = shared?.found ? shared.found.value : await this.#load(key, load);
      if (value === undefined) return value;
      if (shared && !shared.found) void this.#share(key, value, shared.mark);
      if (!running.spoiled) this.#entries.set(key, { value, beganMs, count } satisfies CacheEntry);
      return value;
    });
  }

  async #load(key: string, load: CacheLoad<unknown>): Promise<unknown> {
    this.#counts.loads += 1;
    try {
      return await load(key);
    } catch (error) {
      this.#counts.loadFailures += 1;
      throw error;
    }
  }

  /** Null when nothing is shared, or the broker cannot be asked: the load goes on without it. */
  async #readShared(key: string): Promise<SharedRead | null> {
    const { region, sharedTtlMs, decode } = this.settings;
    if (sharedTtlMs === null) return null;
    try {
      const { value, mark } = await this.#parts.records.read(region, key);
      if (value === null) return { found: null, mark };
      const found = { value: decode(value) };
      this.#counts.l2Hits += 1;
      return { found, mark };
    } catch (error) {
      this.#sharingFailed(error);
      return null;
    }
  }

  async #share(key: string, value: unknown, mark: CacheMark): Promise<void> {
    const { region, sharedTtlMs, encode } = this.settings;
    try {
      const bytes = encode(value);
      if (bytes.length > cacheLimits.valueBytesMax) {
        throw new BackplaneError('PAYLOAD_TOO_LARGE', `a value of ${bytes.length} bytes`);
      }
      const write = { region, key, value: bytes, ttlMs: sharedTtlMs as number, mark };
      if ((await this.#parts.records.write(write)) === 'refused') this.#counts.l2Refused += 1;
    } catch (error) {
      this.#sharingFailed(error);
    }
  }

  #sharingFailed(error: unknown): void {
    this.#counts.l2Failures += 1;
    const { code, message } = asBackplaneError(error);
    const { region } = this.settings;
    this.#parts.logger.event('debug', 'cache.sharing-failed', { region, code, message });
  }

  /** While nobody tells us of evictions, a load answers for the time since it began. */
  #isYoung(load: RegionLoad): boolean {
    return this.#parts.clock.monotonicMs() - load.beganMs <= this.settings.stalenessMs;
  }

  #refuseInDoubt(): void {
    this.#count('inDoubt', 'cache_in_doubt_total');
    if (this.settings.whenCut !== 'fail') return;
    const { region, stalenessMs } = this.settings;
    const agoMs = this.#confirmedAgoMs();
    throw new BackplaneError(
      'CACHE_STALE',
      agoMs === null
        ? `the cache region "${region}" has not been joined yet`
        : `the cache region "${region}" was last confirmed ${agoMs} ms ago`,
      { facts: { region, confirmedAgoMs: agoMs, stalenessMs } },
    );
  }

  #tellCut(isCut: boolean, agoMs: number): void {
    this.#wasCut = isCut;
    const { region, whenCut } = this.settings;
    const facts = { region, confirmedAgoMs: Math.round(agoMs), whenCut };
    if (isCut) this.#parts.logger.event('warn', 'cache.cut', facts);
    else this.#parts.logger.event('info', 'cache.restored', facts);
  }

  #state(): CacheRegionReport['state'] {
    if (this.stamps.known === null) return 'joining';
    return this.isCurrent() ? 'current' : 'cut';
  }

  #confirmedAgoMs(): number | null {
    const agoMs = this.stamps.confirmedAgoMs();
    return agoMs === null ? null : Math.max(0, Math.round(agoMs));
  }

  #closedError(): BackplaneError {
    const { region } = this.settings;
    return new BackplaneError('CLOSED', `the cache region "${region}" was closed`);
  }

  #count(name: keyof typeof noCounts, counter: Parameters<Counters['add']>[0]): void {
    this.#counts[name] += 1;
    this.#parts.counters.add(counter);
  }
}

interface SharedRead {
  readonly found: { readonly value: unknown } | null;
  readonly mark: CacheMark;
}

/** Short, and the same for the same value on every node; null when it cannot be written. */
export function hashOf(encode: () => Uint8Array): string | null {
  try {
    return createHash('sha256').update(encode()).digest('hex').slice(0, 12);
  } catch {
    return null;
  }
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
