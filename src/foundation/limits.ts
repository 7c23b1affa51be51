/**
 * Every dial and every limit, with the formula it enters.
 *
 * A dial is a default that a flag can change; a limit is fixed. Reaching a limit is an error with
 * a code, never silence.
 */
export const dials = {
  /** How long a session lives without renewal; a paused owner is replaced after at most this. */
  leaseTtlMs: 30_000,
  /** A node renews this often: `3 * heartbeatMs + renewalTimeoutMs < deadline` must hold. */
  heartbeatMs: 5_000,
  /** A node silent for this long is fenced and swept, though its session may not have expired. */
  nodeTimeoutMs: 20_000,
  requestTimeoutMs: 15_000,
  awarenessTtlMs: 30_000,
  /** Broadcasts per peer, document and second: raises traffic to every node with a peer there. */
  awarenessRatePerSecond: 20,
  snapshotOps: 100,
  snapshotMs: 300_000,
  idleDocumentMs: 300_000,
  /** From suspicion to fencing: larger tolerates reconnects, smaller shortens failover by as much. */
  takeoverGraceMs: 150,
} as const;

export const limits = {
  documentNameBytesMax: 512,
  nodeIdBytesMax: 64,
  /** The largest payload of an op, a request or a reply. */
  payloadBytesMax: 1_048_576,
  /** One frame: the largest payload as base64 in a JSON answer, and its headers. */
  frameBytesMax: 2_097_152,
  /** Frames of one tick for one channel are joined up to this size. */
  batchBytesMax: 4_194_304,
  jsonDepthMax: 64,
  /** Ops waiting for the append in flight, per document. */
  opsWaitingMax: 4_096,
  /** Ops and bytes written in one append. */
  appendOpsMax: 512,
  appendBytesMax: 4_194_304,
  /** Ops kept in memory at the owner, to answer replays without the store. */
  tailOpsKept: 256,
  /** Ops handed out by one read of the log. */
  readOpsMax: 1_000,
  requestsPendingMax: 65_536,
  requestsRunningMax: 8_192,
  hopsMax: 4,
  awarenessBytesMax: 65_536,
  awarenessPeersMax: 10_000,
  /** A peer unheard of for this long is forgotten by deduplication, so its memory is O(recent peers). */
  peerRetentionMs: 7 * 86_400_000,
  sessionsListedMax: 10_000,
  /** Records, hubs or names told by one page of the registry. */
  registryPageMax: 512,
  /** Changes carried by one write to the registry. */
  registryChangesMax: 512,
  peerQueueBytesMax: 8_388_608,
  peerUnackedMax: 256,
} as const;

/**
 * The dials and limits of the caches (`runtime/cache/`). A value is served for at most `stalenessMs`
 * after the last proof that no eviction was missed; the proof is asked for every `confirmMs`.
 */
export const cacheDials = {
  stalenessMs: 10_000,
  confirmMs: 1_000,
  entries: 10_000,
  ttlMs: 300_000,
} as const;

export const cacheLimits = {
  regionBytesMax: 64,
  keyBytesMax: 512,
  /** Regions of one node. */
  regionsMax: 256,
  /** Regions of a cluster, also of late, that an operator is told of. */
  regionsListedMax: 4_096,
  entriesMax: 1_000_000,
  stalenessMsMin: 100,
  ttlMsMax: 86_400_000,
  /** Loads under way in one region of one node. */
  loadsMax: 10_000,
  /** Of one value in the broker. */
  valueBytesMax: 1_048_576,
  /** A load that takes longer is not written to the broker: its evictions are forgotten. */
  loadMsMax: 60_000,
  /** Prefixes evicted that the broker remembers for a region; one more evicts the region there. */
  prefixesMax: 64,
  /** A region nobody uses is forgotten after this; longer than any value in the broker lives. */
  regionMsMax: 90_000_000,
  /** Stamps of a region that a node remembers, to tell a late frame from another history. */
  stampsKept: 64,
} as const;

/** The limits of presence (`runtime/presence/`). */
export const presenceLimits = {
  hubBytesMax: 128,
  userBytesMax: 256,
  groupBytesMax: 128,
  groupsMax: 256,
  attributesMax: 32,
  attributeKeyBytesMax: 64,
  attributeValueBytesMax: 512,
  globBytesMax: 512,
  /** All that is registered of one connection, as JSON. */
  recordBytesMax: 16_384,
  /** Connections and hubs of one node. */
  connectionsMax: 200_000,
  hubsMax: 1_024,
  /** One write to the registry, and the frame that tells of it, carries no more. */
  changesBytesMax: 524_288,
  /** A payload to connections travels as base64 inside a request. */
  payloadBytesMax: 524_288,
  /** Rows of one answer of a node. */
  rowsMax: 1_000,
  /** Invocations one connection has not answered. */
  invocationsMax: 256,
  /** Connections of one node invoked by one call. */
  invokedMax: 8_192,
  methodBytesMax: 128,
  reasonBytesMax: 100,
} as const;

/** The times of presence. */
export const presenceTimes = {
  /** How often a replica is compared with the broker. */
  compareMs: 3_000,
  /** A hub nobody here needs is forgotten after this. */
  keepHubMs: 180_000,
  retryMs: 500,
  /** What is not found is looked for in new hubs, but hubs are not listed more often than this. */
  listAgainMs: 250,
  /** A change of a connection is waited for so long, while the broker is away. */
  settleMs: 1_000,
} as const;

/** Fixed times of the protocol. */
export const protocol = {
  version: 1,
  /** `deadline = sent + ttl * (1 - clockRateError) - clockMarginMs` (Redlock's validity time). */
  clockRateError: 0.01,
  clockMarginMs: 50,
  renewalTimeoutMs: 2_000,
  /** How often a pending request asks whether its responder still listens. */
  presencePollMs: 60,
  /** A document channel is left this long after its last peer went. */
  unsubscribeGraceMs: 5_000,
  /** How often a subscriber compares its last seq with the log's. */
  tailCheckMs: 3_000,
  selfProbeMs: 2_000,
  /** How long a tombstone outlives its session, as a multiple of the lease TTL. */
  tombstoneTtls: 10,
} as const;

/** Sized so that a bucket stays a listpack up to a million leases (see the design's section 3). */
export const directoryBuckets = 8_192;
