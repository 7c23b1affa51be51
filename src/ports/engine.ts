import type { Bus } from './bus.ts';
import type { CacheRecords } from './cache-records.ts';
import type { ClusterRecords } from './cluster-record.ts';
import type { Inspector, LogInspector } from './inspector.ts';
import type { Leases } from './leases.ts';
import type { Registry } from './registry.ts';
import type { Sessions } from './sessions.ts';
import type { Store } from './store.ts';

/** One backplane, as a driver opens it: everything but the store. */
export interface Engine {
  /** Names the engine and where it is; safe to print. */
  readonly name: string;
  readonly bus: Bus;
  readonly sessions: Sessions;
  readonly leases: Leases;
  readonly registry: Registry;
  readonly clusterRecords: ClusterRecords;
  readonly cacheRecords: CacheRecords;
  readonly inspector: Inspector;
  close(): Promise<void>;
}

export type InspectableStore = Store & LogInspector;
