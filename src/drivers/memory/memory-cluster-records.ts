import type { ClusterRecord, ClusterRecords } from '../../ports/cluster-record.ts';
import type { MemoryConnection } from './memory-connection.ts';

/** The cluster's record as one field of the broker. */
export class MemoryClusterRecords implements ClusterRecords {
  readonly #connection: MemoryConnection;

  constructor(connection: MemoryConnection) {
    this.#connection = connection;
  }

  agree(proposal: ClusterRecord): Promise<ClusterRecord> {
    return this.#connection.call((broker) => {
      broker.clusterRecord ??= { ...proposal };
      return { ...broker.clusterRecord };
    });
  }

  replace(seen: ClusterRecord, proposal: ClusterRecord): Promise<ClusterRecord> {
    return this.#connection.call((broker) => {
      const found = broker.clusterRecord;
      const record = found && found.id !== seen.id ? found : { ...proposal };
      broker.clusterRecord = record;
      return { ...record };
    });
  }

  read(): Promise<ClusterRecord | null> {
    return this.#connection.call(({ clusterRecord }) => clusterRecord && { ...clusterRecord });
  }
}
