import type { CacheRegionReport } from '../../runtime/cache/cache.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { ClusterDoor } from './ask-any-node.ts';
import { askEveryNode } from './ask-every-node.ts';
import { compareValues } from './row-filter.ts';

export interface CacheListing {
  readonly rows: readonly CacheRegionReport[];
  readonly silent: readonly string[];
}

/** Every cache region of every node. Throws NO_NODES. */
export async function listCaches(
  door: ClusterDoor,
  options: RequestOptions = {},
): Promise<CacheListing> {
  const { answers, silent } = await askEveryNode(door, 'cache.list', {}, options);
  const rows = answers.flatMap(({ answer }) => regionsOf(answer));
  rows.sort((a, b) => compareValues(a.region, b.region) || compareValues(a.nodeId, b.nodeId));
  return { rows, silent };
}

/** A node of another version may answer something else. */
function regionsOf(answer: unknown): CacheRegionReport[] {
  const regions = (answer as { regions?: unknown } | null)?.regions;
  return Array.isArray(regions) ? (regions as CacheRegionReport[]) : [];
}
