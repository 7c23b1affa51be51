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
const getEveryMs = 5_000;
const changeEveryMs = 15_000;
/** How often one change is soon followed by another: then a lost announcement is a gap. */
const againShare = 0.4;

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
      life.runtime.caches.create<number>({
        region,
        l2,
        stalenessMs,
        ttlMs: 600_000,
        entriesMax: 100,
      }),
    ]);
    this.#lives.set(life, new Map(caches));
  }

  start(): void {
    if (!this.isOn) return;
    this.#again(getEveryMs, () => this.#get(this.#pick(this.#world.nodes), this.#draw()));
    this.#again(changeEveryMs, () => this.#meet());
  }

  stop(): void {
    this.#stopped = true;
  }

  #draw(): Place {
    const { region } = this.#pick(regions) as (typeof regions)[number];
    return { region, key: this.#pick(keys) as string };
  }

  /** Every node has a value, or is about to; it changes; and they are asked when that is due. */
  #meet(): void {
    const { timeline } = this.#world;
    const place = this.#draw();
    this.#getEverywhere(place);
    timeline.after(this.#random.fraction() * 2_000, () => this.#change(place));
    if (this.#random.fraction() >= againShare) return;
    const other = { ...place, key: this.#pick(keys) as string };
    timeline.after(this.#random.fraction() * 3_000, () => this.#change(other));
  }

  #getEverywhere(place: Place): void {
    if (this.#stopped) return;
    for (const node of this.#world.nodes) this.#get(node, place);
  }

  #get(node: SimNode | undefined, { region, key }: Place): void {
    const life = node?.serving;
    const cache = life && this.#lives.get(life)?.get(region);
    if (!life || !cache) return;
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

  #change(place: Place): void {
    const { region } = place;
    const life = this.#pick(this.#world.serving())?.serving;
    const cache = life && this.#lives.get(life)?.get(region);
    if (!cache || this.#stopped) return;
    const { history, timeline } = this.#world;
    const scope = this.#scope(place.key);
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
        const dueMs = simCacheBoundMs + this.#random.fraction() ** 2 * 20_000;
        timeline.after(dueMs, () => this.#getEverywhere(place));
      },
      // Nobody was told that it was evicted; the next change of it will be.
      () => {},
    );
  }

  #scope(key: string): CacheScope {
    const drawn = this.#random.fraction();
    if (drawn < 0.1) return { kind: 'region' };
    if (drawn < 0.25) return { kind: 'prefix', prefix: key.slice(0, 2) };
    return { kind: 'key', key };
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

interface Place {
  readonly region: string;
  readonly key: string;
}

function evict(cache: Cache<number>, scope: CacheScope): Promise<void> {
  if (scope.kind === 'region') return cache.evictRegion();
  return scope.kind === 'key' ? cache.evict(scope.key) : cache.evictPrefix(scope.prefix);
}

function covers(scope: CacheScope, key: string): boolean {
  if (scope.kind === 'region') return true;
  return scope.kind === 'key' ? key === scope.key : key.startsWith(scope.prefix);
}
