import type { CacheRecords } from '../../ports/cache-records.ts';

/** The cache regions of the cluster, without those that nobody has used for a day. */
export async function usedRegions(cacheRecords: CacheRecords): Promise<string[]> {
  const names = await cacheRecords.regions();
  const { stamps } = await cacheRecords.look(names);
  return names.filter((_, at) => stamps[at]).sort();
}
