import type { Engine } from '../../ports/engine.ts';
import type { MemoryBroker } from './memory-broker.ts';
import { MemoryBus } from './memory-bus.ts';
import { MemoryClusterRecords } from './memory-cluster-records.ts';
import { MemoryInspector } from './memory-inspector.ts';
import { MemoryLeases } from './memory-leases.ts';
import { MemorySessions } from './memory-sessions.ts';

export interface MemoryEngine extends Engine {
  readonly bus: MemoryBus;
}

/** Attaches to a broker of this process, as a node attaches to Redis. */
export function openMemoryEngine(broker: MemoryBroker): MemoryEngine {
  const bus = new MemoryBus(broker);
  return {
    name: 'local:',
    bus,
    sessions: new MemorySessions(broker),
    leases: new MemoryLeases(broker),
    clusterRecords: new MemoryClusterRecords(broker),
    inspector: new MemoryInspector(broker),
    close: async () => bus.close(),
  };
}
