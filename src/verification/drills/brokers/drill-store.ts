import { join } from 'node:path';
import type { DrillStore } from '../drill-cluster.ts';

/** Where the nodes of a drill keep their logs: in their broker, or in one file in its folder. */
export function drillStore(kind: 'redis' | 'sqlite', folder: string): DrillStore {
  if (kind === 'redis') return { kind, path: null, url: 'redis:' };
  const path = join(folder, 'store.sqlite');
  return { kind, path, url: `sqlite:${path}` };
}
