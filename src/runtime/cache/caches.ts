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
import { CacheRegion } from './cache-region.ts';
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
  /** Regions whose evictions the broker has lost, to the stamp it has now. */
  readonly #owed = new Map<string, CacheStamp>();
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
      if (isOther || !stamp) again.push(this.#startOver(name, entry.region, isOther, stamp));
      else {
        if (entry.region.look(stamp, asked[at] as Asked) === 'rewound') this.#owed.set(name, stamp);
        if (this.#looks % rejoinLooks === 0) again.push(this.#keep(name, entry.region));
      }
    }
    await Promise.all(again);
    // Only now: whatever failed above is done again.
    this.#broker = broker;
    await this.#repairAll();
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
   * The broker lost its data, or another one has taken its place, which may have been behind. What
   * is here may be stale, and so may what it holds of what was shared; nobody else may know.
   */
  async #startOver(
    name: string,
    region: CacheRegion,
    isOther: boolean,
    found: CacheStamp | null,
  ): Promise<void> {
    const { known } = region.stamps;
    const isSame = known && found && known.count === found.count && known.token === found.token;
    const asked = region.stamps.ask();
    region.flush(isOther ? 'replaced' : 'lost');
    const stamp = await this.#joinRecords(name, region);
    region.joined(stamp, asked);
    if (found && (!isSame || region.settings.sharedTtlMs !== null)) this.#owed.set(name, stamp);
  }

  /** Evictions that were announced are lost in the broker: once more, for all, unless another did. */
  async #repairAll(): Promise<void> {
    const repairs = [...this.#owed].map(async ([name, seen]) => {
      const stamp = await this.#sender.send(name, { kind: 'region' }, seen);
      if (this.#owed.get(name) === seen) this.#owed.delete(name);
      if (!stamp) return;
      this.#regions.get(name)?.region.apply({ kind: 'region' });
      this.#parts.logger.event('warn', 'cache.repaired', { region: name, stamp: stamp.count });
    });
    await Promise.all(repairs);
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
    const { token, publisher } = frame;
    const isOwn = publisher === this.#sender.publisher;
    const stamp = { count, token };
    if (region.hear({ scope: scopeOf(frame), stamp, before, isOwn }) === 'fine') return;
    this.#owed.set(region.settings.region, stamp);
    this.#hurry.abort();
  }

  async #leave(name: string, only?: CacheRegion): Promise<void> {
    const entry = this.#regions.get(name);
    if (!entry || (only && entry.region !== only)) return;
    this.#regions.delete(name);
    this.#owed.delete(name);
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
