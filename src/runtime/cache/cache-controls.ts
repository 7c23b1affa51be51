import { BackplaneError } from '../../foundation/errors.ts';
import { checkCacheKey, checkCacheRegion } from '../../foundation/identifiers.ts';
import type { CacheScope } from '../../ports/cache-records.ts';
import type { Caches } from './caches.ts';

type Params = Readonly<Record<string, unknown>>;

/** What operators can ask of a node's caches; see `controls.ts`. */
export function cacheControls(caches: Caches) {
  return {
    'cache.list': async (params: Params) => {
      only(params, []);
      return { regions: caches.reports() };
    },
    'cache.probe': async (params: Params) => {
      const { region, key } = only(params, ['region', 'key']);
      return { probe: caches.probe(checkCacheRegion(region), checkCacheKey(key)) };
    },
    'cache.evict': async (params: Params) => {
      const { region, scope } = only(params, ['region', 'scope']);
      const name = checkCacheRegion(region);
      const { count } = await caches.evictNamed(name, checkScope(scope));
      return { region: name, stamp: count };
    },
  };
}

function checkScope(scope: unknown): CacheScope {
  const { kind, key, prefix } = (scope ?? {}) as Params;
  if (kind === 'region') return { kind };
  if (kind === 'key') return { kind, key: checkCacheKey(key) };
  if (kind === 'prefix') return { kind, prefix: checkCacheKey(prefix) };
  throw new BackplaneError('REQUEST_INVALID', '"scope" is a key, a prefix or the region');
}

function only(params: Params, known: readonly string[]): Params {
  const unknown = Object.keys(params).find((name) => !known.includes(name));
  if (unknown === undefined) return params;
  throw new BackplaneError('REQUEST_INVALID', `unknown parameter ${JSON.stringify(unknown)}`);
}
