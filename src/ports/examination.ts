/**
 * What can be read of a broker that has a server: how it is set up, how it fares, and what its
 * users may do. For diagnosis only; JSON-safe, without secrets. Null in the place of a part means
 * that it could not be read; `unread` says why and what would allow it.
 */
export interface BrokerExamination {
  readonly where: BrokerPlace;
  /** The user asking. */
  readonly user: string;
  readonly software: string;
  readonly version: string;
  readonly mode: string;
  readonly roundTripMs: number;
  /** The server's wall clock against ours; above 0 when it is ahead. */
  readonly clockAheadMs: number | null;
  readonly prefix: string;
  readonly state: BrokerState | null;
  readonly settings: BrokerSettings | null;
  readonly clients: readonly BrokerClient[] | null;
  /** Whether anybody who reaches the server may do anything without a password. */
  readonly openToAll: boolean | null;
  readonly rights: readonly UserRights[] | null;
  readonly keys: ForeignKeys | null;
  /** What held everybody up lately, the longest first; absent where a server keeps no such log. */
  readonly slow?: readonly SlowCommand[] | null;
  readonly unread: readonly Unread[];
}

export interface BrokerPlace {
  readonly host: string | null;
  readonly port: number;
  readonly path: string | null;
  readonly tls: boolean;
  readonly db: number;
  readonly username: string | null;
  readonly hasPassword: boolean;
}

export interface BrokerState {
  readonly role: 'primary' | 'replica';
  readonly replicas: number;
  readonly uptimeMs: number;
  readonly memoryBytes: number;
  readonly evictedKeys: number;
  /** CPU time the server has used, since it started. */
  readonly cpuMs: number;
  readonly lastSaveOk: boolean;
  readonly lastSaveAgoMs: number;
  readonly changesSinceSave: number;
  readonly appendFileOk: boolean;
  readonly loading: boolean;
}

export interface BrokerSettings {
  readonly memoryBytesMax: number;
  readonly evictionPolicy: string;
  readonly appendOnly: boolean;
  /** `always`, `everysec` or `no`. */
  readonly appendSync: string;
  /** Empty: no snapshots are saved. */
  readonly save: string;
  readonly replicasToWriteMin: number;
  /** When a subscriber that reads too slowly is cut; 0 is never. */
  readonly subscriberBytesMax: number;
  readonly subscriberBytesSoft: number;
  readonly subscriberSoftMs: number;
  readonly protectedMode: boolean;
  readonly bind: readonly string[];
  readonly idleTimeoutMs: number;
}

/** A connection of a node or a command of ours, or one that hears our channels. */
export interface BrokerClient {
  readonly id: string;
  readonly address: string;
  readonly name: string;
  readonly user: string;
  readonly db: number;
  readonly subscriptions: number;
  /** What waits for it to be read. */
  readonly waitingBytes: number;
  /** How fast that grew while it was looked at, bytes a second. */
  readonly growthPerSecond: number;
  readonly idleMs: number;
  readonly ageMs: number;
}

/** A command that took long. Only its name: what it was sent with may be secret. */
export interface SlowCommand {
  readonly command: string;
  readonly tookMs: number;
  readonly agoMs: number;
  /** Of the connection that sent it. */
  readonly address: string;
  readonly client: string;
}

export interface UserRights {
  readonly user: string;
  /** Nodes are connected under this name. */
  readonly isOfNodes: boolean;
  readonly denied: readonly DeniedRight[];
}

export interface DeniedRight {
  /** The command, or the channel or key in it, that is refused. */
  readonly what: string;
  /** What ACL SETUSER takes: `+hset`, `~backplane:*`, `&backplane:*`. */
  readonly rule: string;
  /** A command that only looks needs it, too. */
  readonly toLook: boolean;
}

export interface ForeignKeys {
  /** Keys with our prefix that are none of ours. */
  readonly underOurPrefix: readonly string[];
  /** Prefixes of other clusters in the same database. */
  readonly otherClusters: readonly string[];
  readonly scanned: number;
  /** There are more keys than were looked at. */
  readonly truncated: boolean;
}

export interface Unread {
  readonly what: string;
  /** The line that would allow it; null when the server does not know it at all. */
  readonly remedy: string | null;
}
