import { asBackplaneError, BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import { checkCacheKey, checkCacheRegion } from '../../foundation/identifiers.ts';
import { cacheDials, cacheLimits, protocol } from '../../foundation/limits.ts';
import type { Bus, Subscription } from '../../ports/bus.ts';
import type { CacheRecords, CacheScope, CacheStamp } from '../../ports/cache-records.ts';
import { readEvictionTrailer } from '../../ports/cache-records.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import { cacheChannel } from '../channels.ts';
import type { Counters } from '../counters.ts';
import { type CacheFrame, decodeFrames, type Frame } from '../frames.ts';
import type { ReadinessCheck } from '../node.ts';
import { withDeadline } from '../with-deadline.ts';
import type { Cache, CacheOptions, CacheProbe, CacheRegionReport, NodeCaches } from './cache.ts';
import { CacheRegion, type FlushCause } from './cache-region.ts';
import { checkCacheOptions } from './cache-settings.ts';
import { EvictionSender, scopeOf } from './eviction-sender.ts';
import type { Asked } from './region-stamps.ts';

export interface CachesParts {
  readonly nodeId: string;
  readonly bus: Bus;
  readonly records: CacheRecords;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly counters: Counters;
}

/** What is known once the node has joined its cluster. */
export interface CachesLine {
  readonly clusterTag: number;
  encode(frame: Frame): Uint8Array;
}

interface Joined {
  readonly region: CacheRegion;
  subscription: Subscription | null;
}

/** A region in use is kept in the broker for much longer than this. */
const rejoinLooks = 600;

/**
 * The cache regions of one node: joins them, hears of evictions, and asks the broker now and then,
 * for all regions in one go, whether every eviction was heard.
 */
export class Caches implements NodeCaches {
  readonly #parts: CachesParts;
  readonly #regions = new Map<string, Joined>();
  readonly #sender: EvictionSender;
  #line: CachesLine | null = null;
  #broker: string | null = null;
  #looks = 0;
  #looking: Promise<void> | null = null;
  #hurry = new AbortController();
  #running = false;
  #stopped = false;

  constructor(parts: CachesParts) {
    this.#parts = parts;
    const encode = () => this.#line?.encode.bind(this.#line) ?? null;
    this.#sender = new EvictionSender({ ...parts, encode });
  }

  start(line: CachesLine): void {
    this.#line = line;
    this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#line = null;
    this.#hurry.abort();
    await Promise.all([...this.#regions.keys()].map((name) => this.#leave(name)));
  }

  /** Announcements may have been missed: the broker is asked at once. */
  interrupted(): void {
    this.#hurry.abort();
  }

  create<Value>(options: CacheOptions<Value>): Cache<Value> {
    const settings = checkCacheOptions(options);
    const name = settings.region;
    if (this.#stopped) throw new BackplaneError('CLOSED', 'the node has stopped');
    if (this.#regions.has(name)) {
      throw new BackplaneError('CONFLICT', `this node has a cache region "${name}" already`, {
        remedy: 'use the one it has, or close it first',
      });
    }
    if (this.#regions.size >= cacheLimits.regionsMax) {
      throw new BackplaneError(
        'OVERLOADED',
        `a node has at most ${cacheLimits.regionsMax} regions`,
      );
    }
    const region = new CacheRegion(this.#parts, settings);
    this.#regions.set(name, { region, subscription: null });
    this.#run();
    this.#hurry.abort();
    return {
      region: name,
      get: (key, load) => region.get(key, load) as Promise<Value>,
      peek: (key) => region.peek(key) as Value | undefined,
      evict: async (key) => this.#evict(name, { kind: 'key', key: checkCacheKey(key) }),
      evictPrefix: async (prefix) =>
        this.#evict(name, { kind: 'prefix', prefix: checkCacheKey(prefix) }),
      evictRegion: () => this.#evict(name, { kind: 'region' }),
      close: () => this.#leave(name, region),
    };
  }

  /** Of any region, also one that only other nodes have. Throws CACHE_REGION_UNKNOWN. */
  async evictNamed(name: string, scope: CacheScope): Promise<CacheStamp> {
    checkCacheRegion(name);
    if (!this.#regions.has(name)) {
      const { stamps } = await this.#parts.records.look([name]);
      if (!stamps[0]) throw unknownRegion(name);
    }
    return this.#evictAndTell(name, scope);
  }

  async evictAll(): Promise<void> {
    const names = new Set([...this.#regions.keys(), ...(await this.#parts.records.regions())]);
    await Promise.all([...names].map((name) => this.#evict(name, { kind: 'region' })));
  }

  reports(): CacheRegionReport[] {
    return [...this.#regions.values()].map(({ region }) => region.report());
  }

  /** Null when this node does not have the region. */
  probe(name: string, key: string): CacheProbe | null {
    checkCacheKey(key);
    return this.#regions.get(checkCacheRegion(name))?.region.probe(key) ?? null;
  }

  /** Whether every region can be proved to be current; nothing without a region. */
  readiness(): ReadinessCheck[] {
    const regions = [...this.#regions.values()].map(({ region }) => region.report());
    if (regions.length === 0) return [];
    const cut = regions.filter(({ state }) => state !== 'current');
    const told = cut.map(({ region, confirmedAgoMs, stalenessMs, whenCut }) => {
      if (confirmedAgoMs === null) return `${region} has not been joined yet`;
      return `${region} was confirmed ${confirmedAgoMs} ms ago, above ${stalenessMs} ms: ${whenCut}`;
    });
    const oldestMs = Math.max(...regions.map(({ confirmedAgoMs }) => confirmedAgoMs ?? 0));
    const detail = told.join('; ') || `all were confirmed within ${oldestMs} ms`;
    return [{ name: 'cache', ok: cut.length === 0, detail, tookMs: null }];
  }

  get entries(): number {
    let entries = 0;
    for (const { region } of this.#regions.values()) entries += region.size;
    return entries;
  }

  async #evict(name: string, scope: CacheScope): Promise<void> {
    await this.#evictAndTell(name, scope);
  }

  async #evictAndTell(name: string, scope: CacheScope): Promise<CacheStamp> {
    const region = this.#regions.get(name)?.region;
    region?.apply(scope);
    region?.sent();
    try {
      return (await this.#sender.send(name, scope)) as CacheStamp;
    } finally {
      // A value read from the broker meanwhile may be the old one.
      region?.apply(scope);
    }
  }

  /** Looks again and again; sooner when there is a reason to. */
  #run(): void {
    if (this.#running || this.#stopped || !this.#line || this.#regions.size === 0) return;
    this.#running = true;
    const loop = async () => {
      while (!this.#stopped && this.#regions.size > 0) {
        this.#hurry = new AbortController();
        this.#looking = this.#look().catch((error) => this.#failed(error));
        await this.#looking;
        await sleep(this.#parts.clock, this.#pauseMs(), this.#hurry.signal);
      }
      this.#running = false;
    };
    void loop();
  }

  #pauseMs(): number {
    const bounds = [...this.#regions.values()].map(({ region }) => region.settings.stalenessMs / 4);
    return Math.min(cacheDials.confirmMs, ...bounds);
  }

  async #look(): Promise<void> {
    await this.#joinNew();
    const joined = [...this.#regions].filter(([, { region }]) => region.stamps.known);
    if (joined.length === 0) return;
    this.#looks += 1;
    const asked = joined.map(([, { region }]) => region.stamps.ask());
    const { clock, records } = this.#parts;
    const names = joined.map(([name]) => name);
    const looking = records.look(names);
    const { broker, stamps } = await withDeadline(clock, protocol.renewalTimeoutMs, looking);
    const isOther = this.#broker !== null && this.#broker !== broker;
    const again: Promise<void>[] = [];
    for (const [at, [name, entry]] of joined.entries()) {
      const stamp = stamps[at] ?? null;
      if (entry.region.isClosed) continue;
      const { region: cache } = entry;
      const cause = this.#doubt(cache, stamp, asked[at] as Asked, isOther);
      if (cause) again.push(this.#startOver(name, cache, cause, stamp));
      else if (this.#looks % rejoinLooks === 0) again.push(this.#keep(name, cache));
    }
    await Promise.all(again);
    // Only now: whatever failed above is done again.
    this.#broker = broker;
  }

  /** Why the region has to start over; null when what is here can be judged by its stamp. */
  #doubt(
    region: CacheRegion,
    stamp: CacheStamp | null,
    asked: Asked,
    isOther: boolean,
  ): FlushCause | null {
    if (isOther) return 'replaced';
    if (!stamp) return 'lost';
    return region.look(stamp, asked) === 'rewound' || !region.stamps.isProved ? 'rewound' : null;
  }

  async #joinNew(): Promise<void> {
    const fresh = [...this.#regions].filter(([, { region }]) => !region.stamps.known);
    const joins = fresh.map(([name, entry]) => {
      const joining = this.#join(name, entry).catch((error) => this.#failed(error));
      return joining.finally(() => entry.region.opened());
    });
    await Promise.all(joins);
  }

  async #join(name: string, entry: Joined): Promise<void> {
    entry.subscription ??= await this.#parts.bus.subscribe(cacheChannel(name), (published) =>
      this.#hear(entry.region, published),
    );
    if (entry.region.isClosed) return entry.subscription.close();
    const asked = entry.region.stamps.ask();
    entry.region.joined(await this.#joinRecords(name, entry.region), asked);
  }

  #joinRecords(name: string, { settings }: CacheRegion): Promise<CacheStamp> {
    const { clock, records } = this.#parts;
    const joining = records.join(name, this.#sender.drawToken(), settings.sharedTtlMs !== null);
    return withDeadline(clock, protocol.renewalTimeoutMs, joining);
  }

  /** The broker forgets regions that nobody joins any more. */
  async #keep(name: string, region: CacheRegion): Promise<void> {
    await this.#joinRecords(name, region);
  }

  /**
   * The broker lost or rewound its data, or another one has taken its place, which may have been
   * behind. What is here may be stale, and so may what it holds of what was shared: evictions that
   * it has forgotten are repeated for all, before anything is served again.
   */
  async #startOver(
    name: string,
    region: CacheRegion,
    cause: FlushCause,
    found: CacheStamp | null,
  ): Promise<void> {
    const { known } = region.stamps;
    const isKnown = known && found && known.count === found.count && known.token === found.token;
    const isShared = region.settings.sharedTtlMs !== null;
    region.stamps.doubt();
    region.flush(cause);
    let asked = region.stamps.ask();
    let stamp = await this.#joinRecords(name, region);
    if (found && (isShared || !isKnown || cause === 'rewound')) {
      const everything = { kind: 'region' } as const;
      asked = region.stamps.ask();
      const repeated = await this.#sender.send(name, everything, stamp);
      // Another node did the same, or evicted something: neither is known to cover it all.
      stamp = repeated ?? ((await this.#sender.send(name, everything)) as CacheStamp);
      this.#parts.logger.event('warn', 'cache.repaired', { region: name, stamp: stamp.count });
    }
    if (!region.isClosed) region.joined(stamp, asked);
  }

  #hear(region: CacheRegion, published: Uint8Array): void {
    const { counters } = this.#parts;
    const frames = decodeFrames(this.#line?.clusterTag ?? 0, published, (fault) => {
      counters.add(`frames_${fault}_total`);
    });
    for (const frame of frames) {
      if (frame.kind === 'cache' && !region.isClosed) this.#heard(region, frame);
    }
  }

  #heard(region: CacheRegion, frame: CacheFrame): void {
    const trailer = readEvictionTrailer(frame.payload);
    if (!trailer || frame.region !== region.settings.region) return;
    const { count, before } = trailer;
    const stamp = { count, token: frame.token };
    const isOwn = this.#sender.isOwn(frame);
    const heard = region.hear({ scope: scopeOf(frame), stamp, before, isOwn });
    if (heard === 'rewound') this.#hurry.abort();
  }

  async #leave(name: string, only?: CacheRegion): Promise<void> {
    const entry = this.#regions.get(name);
    if (!entry || (only && entry.region !== only)) return;
    this.#regions.delete(name);
    entry.region.close();
    await entry.subscription?.close().catch((error) => this.#failed(error));
  }

  #failed(error: unknown): void {
    const level = isBackplaneError(error) ? 'debug' : 'error';
    const { code, message } = asBackplaneError(error);
    this.#parts.logger.event(level, 'cache.look-failed', { code, message });
  }
}

export function unknownRegion(name: string): BackplaneError {
  return new BackplaneError('CACHE_REGION_UNKNOWN', `no node has a cache region "${name}"`, {
    facts: { region: name },
  });
}
