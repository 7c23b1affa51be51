import type { CacheRecords, CacheScope } from '../../ports/cache-records.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import { askAnyNode, type ClusterDoor } from '../inspect/ask-any-node.ts';
import { usedRegions } from '../inspect/used-regions.ts';

/** What was evicted, and how many evictions each region has had with it. */
export interface CacheEvictReport {
  readonly evictions: readonly CacheEvicted[];
}

export interface CacheEvicted {
  readonly region: string;
  readonly scope: CacheScope['kind'];
  /** The key or prefix; null for a whole region. */
  readonly key: string | null;
  readonly stamp: number;
}

/**
 * Evicts on every node; `regions: 'all'` is every region of the cluster. A node does it: a question
 * asked twice evicts twice, which changes nothing more. Throws CACHE_REGION_UNKNOWN, NO_NODES.
 */
export async function evictCache(
  door: ClusterDoor & { readonly cacheRecords: CacheRecords },
  regions: readonly string[] | 'all',
  scope: CacheScope,
  options: RequestOptions = {},
): Promise<CacheEvictReport> {
  const names = regions === 'all' ? await usedRegions(door.cacheRecords) : regions;
  const evictions = await Promise.all(
    names.map(async (region): Promise<CacheEvicted> => {
      const answer = await askAnyNode(door, 'cache.evict', { region, scope }, options);
      const { stamp } = answer as { stamp: number };
      return { region, scope: scope.kind, key: keyOf(scope), stamp };
    }),
  );
  return { evictions };
}

function keyOf(scope: CacheScope): string | null {
  if (scope.kind === 'region') return null;
  return scope.kind === 'key' ? scope.key : scope.prefix;
}
