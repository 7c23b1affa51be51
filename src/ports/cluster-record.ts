/**
 * What all nodes of a cluster must agree on, written once by the first of them.
 *
 * Laws, each a test in `test/conformance/cluster-record.ts`:
 *  1. The first `agree` on an empty engine writes its proposal; every later one gets what is there.
 *  2. Of two at once, both get the same record.
 *  3. `read` writes nothing.
 *  4. `replace` writes its proposal only where the record seen still is; it answers what is there.
 */
export interface ClusterRecords {
  agree(proposal: ClusterRecord): Promise<ClusterRecord>;
  read(): Promise<ClusterRecord | null>;
  /** Records are told apart by their `id`. */
  replace(seen: ClusterRecord, proposal: ClusterRecord): Promise<ClusterRecord>;
}

export interface ClusterRecord {
  /** Short, carried by every frame, so that two clusters on one engine do not mix. */
  readonly id: string;
  readonly buckets: number;
  readonly storeIdentity: string;
  /** What an op does to state: `log` or `json`. */
  readonly documentEngine: string;
}
