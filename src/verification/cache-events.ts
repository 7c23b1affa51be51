import type { Recorded } from './recorded.ts';

/** What a key stands for has another version now; versions grow over all keys of a region. */
export interface CacheChange extends Recorded {
  readonly ev: 'cache.change';
  readonly region: string;
  readonly key: string;
  readonly version: number;
}

/** An eviction was acknowledged that was asked for when the source was at that version. */
export interface CacheEvicted extends Recorded {
  readonly ev: 'cache.evicted';
  readonly region: string;
  readonly scope: 'key' | 'prefix' | 'region';
  /** The key or prefix; empty for a region. */
  readonly key: string;
  readonly version: number;
}

/** The broker lost or rewound its data: evictions before may be forgotten there. */
export interface CacheForgotten extends Recorded {
  readonly ev: 'cache.forgotten';
}

/** A node was asked for the value of a key. */
export interface CacheAsk extends Recorded {
  readonly ev: 'cache.ask';
  readonly id: string;
  readonly nodeId: string;
  readonly region: string;
  readonly key: string;
}

/** It served that version. */
export interface CacheAnswer extends Recorded {
  readonly ev: 'cache.answer';
  readonly id: string;
  readonly version: number;
}
