import type { ClusterRecord, ClusterRecords } from '../../ports/cluster-record.ts';
import type { MemoryBroker } from './memory-broker.ts';

/** The first proposal stays. */
export class MemoryClusterRecords implements ClusterRecords {
  readonly #broker: MemoryBroker;

  constructor(broker: MemoryBroker) {
    this.#broker = broker;
  }

  async agree(proposal: ClusterRecord): Promise<ClusterRecord> {
    this.#broker.cluster ??= proposal;
    return this.#broker.cluster;
  }

  async read(): Promise<ClusterRecord | null> {
    return this.#broker.cluster;
  }
}
