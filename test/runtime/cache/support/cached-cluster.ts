import type { Cache, CacheOptions } from '../../../../src/runtime/cache/cache.ts';
import { type ClusterNode, MemoryCluster } from '../../../support/memory-cluster.ts';

/** Where the values come from: what a key stands for, and how often it was asked for. */
export class Source {
  readonly values = new Map<string, string>();
  readonly asked: string[] = [];
  /** While it is set, loads wait for it after they have read. */
  gate: Promise<void> | null = null;

  readonly load = async (key: string): Promise<string> => {
    this.asked.push(key);
    const value = this.values.get(key) ?? `no ${key}`;
    await this.gate;
    return value;
  };
}

export interface CachedNode {
  readonly node: ClusterNode;
  readonly cache: Cache<string>;
  get(key: string): Promise<string>;
}

/** A cluster whose nodes all have one cache region over one source. */
export async function cachedCluster(
  nodeIds: readonly string[],
  options: Partial<CacheOptions<string>> = {},
) {
  const cluster = await MemoryCluster.start(nodeIds);
  const source = new Source();
  const add = (nodeId: string, more: Partial<CacheOptions<string>> = {}): CachedNode => {
    const node = cluster.node(nodeId);
    const { caches } = node.runtime;
    const cache = caches.create<string>({ region: 'users', ...options, ...more });
    return { node, cache, get: (key) => cluster.run(cache.get(key, source.load)) };
  };
  const nodes = nodeIds.map((nodeId) => add(nodeId));
  const report = (at: number) => nodes[at]?.node.runtime.caches.reports()[0];
  await cluster.until('all regions to be joined', () =>
    nodes.every((_, at) => report(at)?.state === 'current'),
  );
  return { cluster, source, nodes: nodes as [CachedNode, CachedNode, CachedNode], add, report };
}
