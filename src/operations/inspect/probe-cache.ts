import { createHash } from 'node:crypto';
import { BackplaneError } from '../../foundation/errors.ts';
import type { CacheRecords } from '../../ports/cache-records.ts';
import type { CacheProbe } from '../../runtime/cache/cache.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { ClusterDoor } from './ask-any-node.ts';
import { askEveryNode } from './ask-every-node.ts';
import { compareValues } from './row-filter.ts';

export interface CacheDoor extends ClusterDoor {
  readonly cacheRecords: CacheRecords;
}

/** What every node of a region holds for a key, and what they share. */
export interface CacheProbeReport {
  readonly region: string;
  readonly key: string;
  /** Evictions of the region, as the broker counts them; null when it has forgotten the region. */
  readonly stamp: number | null;
  /** Of the value that nodes share through the broker; null when there is none. */
  readonly sharedHash: string | null;
  readonly nodes: readonly NodeProbe[];
  readonly silent: readonly string[];
}

export interface NodeProbe extends CacheProbe {
  /**
   * `absent`: it would load. `cut`: it holds a value that it cannot prove to be current, and does
   * not serve. `stale`: another value than the one shared, or than the one loaded last. `current`:
   * the same.
   */
  readonly verdict: 'absent' | 'cut' | 'stale' | 'current';
  /** Evictions of the region that it has not heard of. */
  readonly behind: number;
}

/** Throws CACHE_REGION_UNKNOWN when no node has the region, NO_NODES. Loads nothing. */
export async function probeCache(
  door: CacheDoor,
  region: string,
  key: string,
  options: RequestOptions = {},
): Promise<CacheProbeReport> {
  const params = { region, key };
  const { answers, silent } = await askEveryNode(door, 'cache.probe', params, options);
  const probes = answers.flatMap(({ answer }) => {
    const probe = (answer as { probe?: CacheProbe | null } | null)?.probe;
    return probe ? [probe] : [];
  });
  const { stamps } = await door.cacheRecords.look([region]);
  if (probes.length === 0 && silent.length === 0) throw unknown(region);
  const shared = await door.cacheRecords.read(region, key);
  const sharedHash = shared.value && hash(shared.value);
  const stamp = stamps[0]?.count ?? null;
  const held = probes.filter((probe) => probe.held);
  const youngest = held.toSorted((a, b) => compareValues(a.ageMs, b.ageMs))[0];
  const truth = sharedHash ?? youngest?.hash ?? null;
  const nodes = probes.map((probe) => ({
    ...probe,
    verdict: verdictOf(probe, truth),
    behind: Math.max(0, (stamp ?? 0) - (probe.stamp ?? 0)),
  }));
  nodes.sort((a, b) => compareValues(a.nodeId, b.nodeId));
  return { region, key, stamp, sharedHash, nodes, silent };
}

function verdictOf(probe: CacheProbe, truth: string | null): NodeProbe['verdict'] {
  if (!probe.held) return 'absent';
  if (probe.state !== 'current') return 'cut';
  return probe.hash === truth ? 'current' : 'stale';
}

/** As nodes write it. */
function hash(value: Uint8Array): string {
  return createHash('sha256').update(value).digest('hex').slice(0, 12);
}

function unknown(region: string): BackplaneError {
  return new BackplaneError('CACHE_REGION_UNKNOWN', `no node has a cache region "${region}"`, {
    facts: { region },
  });
}
