import type { CacheScope } from '../../ports/cache-records.ts';
import type { Random } from '../../ports/random.ts';
import type { Cache } from '../../runtime/cache/cache.ts';
import { SeededRandom } from '../seeded-random.ts';
import type { NodeLife, SimNode } from './sim-node.ts';
import type { SimWorld } from './sim-world.ts';

const stalenessMs = 5_000;
/** Clocks run up to a hundredth fast or slow, and what is on its way takes a moment. */
export const simCacheBoundMs = stalenessMs * 1.02 + 50;

const regions = [
  { region: 'plain', l2: false },
  { region: 'shared', l2: { ttlMs: 120_000 } },
] as const;
const keys = ['a:1', 'a:2', 'b:1', 'b:2', 'c'];
const getEveryMs = 1_500;
const changeEveryMs = 12_000;

type Caches = ReadonlyMap<string, Cache<number>>;

/**
 * Applications with caches: every node has the same regions, values are versions of a source that
 * never lies, and whoever changes it evicts. Half of the worlds have them.
 */
export class SimCaches {
  readonly #world: SimWorld;
  /** Its own, so that what else happens in a world does not depend on it. */
  readonly #random: Random;
  readonly #lives = new WeakMap<NodeLife, Caches>();
  readonly #source = new Map<string, number>();
  readonly isOn: boolean;
  #version = 0;
  #asked = 0;
  #stopped = false;

  constructor(world: SimWorld) {
    this.#world = world;
    this.#random = new SeededRandom(world.profile.seed ^ 0xcac4e);
    this.isOn = this.#random.fraction() < 0.5;
  }

  /** A life begins. */
  prepared(life: NodeLife): void {
    if (!this.isOn) return;
    const caches = regions.map(({ region, l2 }): [string, Cache<number>] => [
      region,
      life.runtime.caches.create<number>({ region, l2, stalenessMs, ttlMs: 600_000 }),
    ]);
    this.#lives.set(life, new Map(caches));
  }

  start(): void {
    if (!this.isOn) return;
    this.#again(getEveryMs, () => this.#get());
    this.#again(changeEveryMs, () => this.#change());
  }

  stop(): void {
    this.#stopped = true;
  }

  #get(): void {
    const node = this.#pick(this.#world.serving());
    const life = node?.serving;
    const { region } = this.#pick(regions) as (typeof regions)[number];
    const cache = life && this.#lives.get(life)?.get(region);
    if (!life || !cache) return;
    const key = this.#pick(keys) as string;
    this.#asked += 1;
    const id = `g${this.#asked}`;
    const { history } = this.#world;
    history.record({ ev: 'cache.ask', id, nodeId: (node as SimNode).machine, region, key });
    cache
      .get(key, () => this.#load(life, `${region} ${key}`))
      .then(
        (version) => history.record({ ev: 'cache.answer', id, version }),
        () => {},
      );
  }

  /** What is read is as old as the beginning of the load, however long it takes. */
  #load(life: NodeLife, name: string): Promise<number> {
    const version = this.#source.get(name) ?? 0;
    const tookMs = this.#random.fraction() ** 4 * 4_000;
    return new Promise((resolve) => {
      life.process.after(tookMs, () => resolve(version));
    });
  }

  #change(): void {
    const life = this.#pick(this.#world.serving())?.serving;
    const { region } = this.#pick(regions) as (typeof regions)[number];
    const cache = life && this.#lives.get(life)?.get(region);
    if (!cache) return;
    const { history } = this.#world;
    const scope = this.#scope();
    const changed = keys.filter((key) => covers(scope, key));
    for (const key of changed) {
      this.#version += 1;
      this.#source.set(`${region} ${key}`, this.#version);
      history.record({ ev: 'cache.change', region, key, version: this.#version });
    }
    const version = this.#version;
    evict(cache, scope).then(
      () => {
        const key = scope.kind === 'key' ? scope.key : scope.kind === 'prefix' ? scope.prefix : '';
        history.record({ ev: 'cache.evicted', region, scope: scope.kind, key, version });
      },
      // Nobody was told that it was evicted; the next change of it will be.
      () => {},
    );
  }

  #scope(): CacheScope {
    const drawn = this.#random.fraction();
    if (drawn < 0.1) return { kind: 'region' };
    if (drawn < 0.25) return { kind: 'prefix', prefix: this.#pick(['a:', 'b:']) as string };
    return { kind: 'key', key: this.#pick(keys) as string };
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.#random.fraction() * from.length)];
  }

  #again(meanMs: number, act: () => void): void {
    const { timeline } = this.#world;
    timeline.after(-Math.log(1 - this.#random.fraction()) * meanMs, () => {
      if (this.#stopped) return;
      act();
      this.#again(meanMs, act);
    });
  }
}

function evict(cache: Cache<number>, scope: CacheScope): Promise<void> {
  if (scope.kind === 'region') return cache.evictRegion();
  return scope.kind === 'key' ? cache.evict(scope.key) : cache.evictPrefix(scope.prefix);
}

function covers(scope: CacheScope, key: string): boolean {
  if (scope.kind === 'region') return true;
  return scope.kind === 'key' ? key === scope.key : key.startsWith(scope.prefix);
}
