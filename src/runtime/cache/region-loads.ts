import { BackplaneError } from '../../foundation/errors.ts';
import { cacheLimits } from '../../foundation/limits.ts';
import type { CacheScope } from '../../ports/cache-records.ts';

/** A load under way. */
export interface RegionLoad {
  readonly key: string;
  /** By the monotonic clock. */
  readonly beganMs: number;
  /** Evictions of the region that were known when it began. */
  readonly count: number;
  /** Something that covers its key was evicted since: its callers get the value, nobody else. */
  spoiled: boolean;
  readonly value: Promise<unknown>;
}

/**
 * The loads of one region: one per key at a time. Whoever comes after an eviction does not join a
 * load that began before it.
 */
export class RegionLoads {
  readonly #loads = new Map<string, RegionLoad>();
  #running = 0;

  get(key: string): RegionLoad | null {
    return this.#loads.get(key) ?? null;
  }

  /** Throws OVERLOADED. `run` is given the load, so that it can see whether it was spoiled. */
  begin(
    about: Pick<RegionLoad, 'key' | 'beganMs' | 'count'>,
    run: (load: RegionLoad) => Promise<unknown>,
  ): RegionLoad {
    if (this.#running >= cacheLimits.loadsMax) {
      throw new BackplaneError('OVERLOADED', `${this.#running} loads are under way in one region`);
    }
    const outcome = Promise.withResolvers<unknown>();
    const load: RegionLoad = { ...about, spoiled: false, value: outcome.promise };
    this.#loads.set(load.key, load);
    this.#running += 1;
    const finish = () => {
      this.#running -= 1;
      if (this.#loads.get(load.key) === load) this.#loads.delete(load.key);
    };
    run(load).then(
      (value) => {
        finish();
        outcome.resolve(value);
      },
      (error) => {
        finish();
        outcome.reject(error);
      },
    );
    return load;
  }

  spoil(scope: CacheScope): void {
    if (scope.kind === 'key') return this.#spoil(this.#loads.get(scope.key));
    for (const load of [...this.#loads.values()]) {
      if (scope.kind === 'region' || load.key.startsWith(scope.prefix)) this.#spoil(load);
    }
  }

  #spoil(load: RegionLoad | undefined): void {
    if (!load) return;
    load.spoiled = true;
    this.#loads.delete(load.key);
  }
}
