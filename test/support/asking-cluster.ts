import type { RequestTarget } from '../../src/runtime/reports.ts';
import { type ClusterOptions, MemoryCluster } from './memory-cluster.ts';

export const nothing = new Uint8Array();
export const toNode = (nodeId: string): RequestTarget => ({ kind: 'node', nodeId });
export const toDoc = (doc: string): RequestTarget => ({ kind: 'doc', doc });
export const toAll: RequestTarget = { kind: 'all' };

/** Three nodes; `a` asks. */
export async function askingCluster(options: ClusterOptions = {}) {
  const cluster = await MemoryCluster.start(['a', 'b', 'c'], options);
  const [a, b, c] = [cluster.node('a'), cluster.node('b'), cluster.node('c')];
  const ask = (target: RequestTarget, method: string, timeoutMs = 15_000) => {
    return a.runtime.request(target, method, nothing, { timeoutMs });
  };
  return { cluster, a, b, c, ask };
}
