import { BackplaneError } from '../../foundation/errors.ts';
import { isoTime } from '../../foundation/iso-time.ts';
import { cacheLimits, dials } from '../../foundation/limits.ts';
import type { Subscription } from '../../ports/bus.ts';
import type { CacheRecords } from '../../ports/cache-records.ts';
import { type Clock, repeat } from '../../ports/clock.ts';
import type { Sessions } from '../../ports/sessions.ts';
import type { CacheNews } from '../../runtime/cache/cache-news.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { usedRegions } from './used-regions.ts';
import { watchOutage } from './watch-outage.ts';

export interface FollowCachesParts {
  readonly sessions: Sessions;
  readonly cacheRecords: CacheRecords;
  readonly visitor: Visitor;
  readonly clock: Clock;
}

export interface FollowCachesOptions {
  readonly signal: AbortSignal;
  readonly outageMsMax?: number;
}

/**
 * One line of a tail of caches. `evict`: an eviction. `gap`: so many were missed here, because the
 * connection was away or the reader too slow; nodes notice theirs by themselves.
 */
export interface CacheLine {
  readonly type: 'evict' | 'gap';
  readonly region: string;
  readonly scope: CacheNews['scope'] | null;
  readonly key: string | null;
  readonly nodeId: string | null;
  readonly publisher: string | null;
  readonly sequence: number | null;
  /** Evictions of the region up to and with this one. */
  readonly stamp: number;
  readonly missed: number;
  /** ISO time by this machine's clock. */
  readonly at: string | null;
}

const linesMax = 8_192;
const newRegionsMs = 2_000;

/**
 * Follows evictions of these regions, or of all, also of those that come later. Throws
 * CACHE_REGION_UNKNOWN, BACKPLANE_UNREACHABLE.
 */
export async function* followCaches(
  parts: FollowCachesParts,
  regions: readonly string[],
  { signal, outageMsMax = dials.requestTimeoutMs }: FollowCachesOptions,
): AsyncGenerator<CacheLine> {
  const queue = new CacheQueue(parts.clock);
  const ears = new Map<string, Promise<Subscription>>();
  const listen = async (names: readonly string[]) => {
    const fresh = names.filter((name) => !ears.has(name)).slice(0, cacheLimits.regionsListedMax);
    for (const name of fresh) {
      ears.set(
        name,
        parts.visitor.followCache(name, (news) => queue.push(news)),
      );
    }
    await Promise.all(fresh.map((name) => ears.get(name)));
  };
  const end = () => queue.end(null);
  signal.addEventListener('abort', end, { once: true });
  const outage = watchOutage(parts, outageMsMax, (error) => queue.end(error));
  const looking = repeat(
    parts.clock,
    () => newRegionsMs,
    async () => {
      if (regions.length > 0) return;
      await usedRegions(parts.cacheRecords).then(listen, () => {});
    },
  );
  try {
    await requireKnown(parts.cacheRecords, regions);
    await listen(regions.length > 0 ? regions : await usedRegions(parts.cacheRecords));
    if (signal.aborted) return;
    yield* queue.lines();
  } finally {
    signal.removeEventListener('abort', end);
    outage.cancel();
    looking.cancel();
    const open = [...ears.values()].map((ear) => ear.then((one) => one.close()).catch(() => {}));
    await Promise.all(open);
  }
}

async function requireKnown(records: CacheRecords, regions: readonly string[]): Promise<void> {
  const { stamps } = await records.look(regions);
  const unknown = regions.find((_, at) => !stamps[at]);
  if (unknown === undefined) return;
  throw new BackplaneError('CACHE_REGION_UNKNOWN', `no node has a cache region "${unknown}"`, {
    facts: { region: unknown },
  });
}

/** Between the bus, which never waits, and a reader, who may be slow. What does not fit is a gap. */
class CacheQueue {
  readonly #clock: Clock;
  readonly #stamps = new Map<string, number>();
  #waiting: CacheLine[] = [];
  #ended = false;
  #failure: Error | null = null;
  #wake: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  push(news: CacheNews): void {
    if (this.#waiting.length >= linesMax) return;
    const { region, stamp } = news;
    const at = isoTime(this.#clock.wallMs());
    const missed = stamp - (this.#stamps.get(region) ?? stamp - 1) - 1;
    this.#stamps.set(region, stamp);
    if (missed > 0) {
      const nothing = { scope: null, key: null, nodeId: null, publisher: null, sequence: null };
      this.#waiting.push({ type: 'gap', region, ...nothing, stamp: stamp - 1, missed, at });
    }
    this.#waiting.push({ type: 'evict', ...news, missed: 0, at });
    this.#wake();
  }

  end(failure: Error | null): void {
    this.#ended = true;
    this.#failure ??= failure;
    this.#wake();
  }

  async *lines(): AsyncGenerator<CacheLine> {
    for (;;) {
      const waiting = this.#waiting;
      this.#waiting = [];
      yield* waiting;
      if (this.#waiting.length > 0) continue;
      if (this.#failure) throw this.#failure;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
