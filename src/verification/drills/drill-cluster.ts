import type { FaultProxy } from './proxy/fault-proxy.ts';

/** The cluster a drill breaks: real processes, each node behind a proxy of its own. */
export interface DrillCluster {
  readonly nodes: readonly DrillNode[];
  readonly broker: DrillBroker;
  readonly store: DrillStore;
  /** A file or folder of this drill, gone with it. */
  readonly folder: string;
}

/** One `serve` process, at an address it has again after a restart. */
export interface DrillNode {
  readonly nodeId: string;
  /** `http://127.0.0.1:PORT`. */
  readonly address: string;
  /** Null while it does not run. */
  readonly pid: number | null;
  /** The last one it told of; null before the first. */
  readonly session: string | null;
  /** Between it and the broker; it keeps its port when the node restarts. */
  readonly proxy: FaultProxy;
  /** Starts the process and waits until it is ready. Fails with what it said. */
  start(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for the end; answers the exit code. SIGKILL when it takes too long. */
  terminate(timeoutMs: number): Promise<number | string>;
  readonly agent: NodeAgent;
  /** The end of what it wrote to standard error. */
  complaints(): string;
  /** Another process with the same node id at an address of its own, not started yet. */
  twin(): Promise<DrillNode>;
}

/** What is done inside the process of a node, by code that only drills load into it. */
export interface NodeAgent {
  /** Nothing runs in the process from when it resolves until `release`, or the end of the drill. */
  blockEventLoop(): Promise<BlockedLoop>;
  /** Moves the wall clock of the process, to and fro; the monotonic clock goes on. */
  stepWallClock(byMs: number): Promise<void>;
  wallMs(): Promise<number>;
}

export interface BlockedLoop {
  /** Resolves when the event loop turns again. Twice is once. */
  release(): Promise<void>;
}

export interface DrillBroker {
  readonly kind: 'embedded' | 'redis' | 'pair';
  /** `Redis 7.0.15`, `Valkey 9.1 in WebAssembly`. */
  readonly server: string;
  /** True when it keeps nothing over a restart. */
  readonly volatile: boolean;
  /** Where it listens now: it can move to another server. */
  port(): number;
  /** Ends it with SIGKILL, waits. */
  kill(): Promise<void>;
  /** Starts it again where it was, with what it has on disk, or with nothing. */
  start(options: { readonly keepData: boolean }): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
  /** Null without a replica. */
  readonly failOver: FailOver | null;
  /** A command to the server, past every proxy. */
  command(...args: string[]): Promise<unknown>;
}

/** The end of a primary, and its replica in its place; `losePrimary` comes first. */
export interface FailOver {
  /**
   * Kills the primary when the replica has all that was acknowledged, or, with a lag, when it has
   * heard nothing for so long. Answers how many bytes of the primary's writes it lacks.
   */
  losePrimary(lagMs: number): Promise<number>;
  /** From then on `port` is the former replica's. */
  promote(): Promise<void>;
}

export interface DrillStore {
  readonly kind: 'redis' | 'sqlite';
  /** The file of a SQLite store. */
  readonly path: string | null;
  /** What `serve --store` is given. */
  readonly url: string;
}
