import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { MemoryBroker } from './memory-broker.ts';
import { MemoryBus } from './memory-bus.ts';
import { MemoryCacheRecords } from './memory-cache-records.ts';
import { MemoryClusterRecords } from './memory-cluster-records.ts';
import { MemoryConnection } from './memory-connection.ts';
import { MemoryInspector } from './memory-inspector.ts';
import { MemoryLeases } from './memory-leases.ts';
import { MemoryRegistry } from './memory-registry.ts';
import { MemorySessions } from './memory-sessions.ts';

/**
 * Attaches to a broker of this process, as a node connects to a server; all who attach to one broker
 * are one cluster. `clock` is the node's own, in case it differs from the broker's.
 */
export function openMemoryEngine(broker: MemoryBroker, clock: Clock = broker.clock): Engine {
  const connection = new MemoryConnection(broker);
  const bus = new MemoryBus(broker, connection);
  return {
    name: 'local:',
    bus,
    sessions: new MemorySessions(connection),
    leases: new MemoryLeases(connection),
    registry: new MemoryRegistry(connection),
    clusterRecords: new MemoryClusterRecords(connection),
    cacheRecords: new MemoryCacheRecords(connection),
    inspector: new MemoryInspector(connection, clock),
    async close() {
      connection.close();
      bus.close();
    },
  };
}
