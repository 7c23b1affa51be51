import { readEvictionTrailer } from '../../ports/cache-records.ts';
import { decodeFrames } from '../frames.ts';

/** An eviction as anybody hears it who listens to the region. */
export interface CacheNews {
  readonly region: string;
  readonly scope: 'key' | 'prefix' | 'region';
  /** The key or prefix; null for a region. */
  readonly key: string | null;
  readonly nodeId: string;
  readonly publisher: string;
  readonly sequence: number;
  /** Evictions of the region up to and with this one. */
  readonly stamp: number;
}

export function* readCacheNews(clusterTag: number, published: Uint8Array): Generator<CacheNews> {
  for (const frame of decodeFrames(clusterTag, published, () => {})) {
    const trailer = frame.kind === 'cache' ? readEvictionTrailer(frame.payload) : null;
    if (frame.kind !== 'cache' || !trailer) continue;
    const { region, scope, subject, nodeId, publisher, sequence } = frame;
    const key = scope === 'region' ? null : subject;
    yield { region, scope, key, nodeId, publisher, sequence, stamp: trailer.count };
  }
}
