import { homedir, hostname } from 'node:os';
import type { Writable } from 'node:stream';
import { brokerProgram } from './broker-program.ts';
import { JsonLogger } from './drivers/system/json-logger.ts';
import { SystemClock } from './drivers/system/system-clock.ts';
import { SystemRandom } from './drivers/system/system-random.ts';
import { dataFolder } from './foundation/data-folder.ts';
import { checkPrefix } from './foundation/identifiers.ts';
import { checkPublicUrl } from './foundation/public-url.ts';
import { Secret } from './foundation/secret.ts';
import { parseEngineUrl, parseStoreUrl } from './foundation/url.ts';
import type { IdentifyPeer } from './gateway/identify-peer.ts';
import { type HostedNode as Hosted, hostNode } from './host-node.ts';
import { type Logger, type LogLevel, silentLogger } from './ports/logger.ts';
import type { Cache, CacheOptions } from './runtime/cache/cache.ts';
import type { BackplaneNode } from './runtime/node.ts';
import { defaultDials, type NodeDials } from './runtime/node-settings.ts';
import { noRedirects, type RelaySettings } from './runtime/relay/redirect-rules.ts';
import { version } from './version.ts';

/** What an application says about its node; everything has a default. */
export interface NodeOptions {
  /** As `--url`; without it, the embedded broker of this machine. */
  readonly url?: string;
  /** As `--store`; without it, the one that goes with the engine. */
  readonly store?: string;
  readonly nodeId?: string;
  readonly prefix?: string;
  readonly dataDir?: string;
  readonly brokerPort?: number;
  /** What ops do to a document: `json` (merge patch) or `log` (opaque). */
  readonly documentEngine?: 'json' | 'log';
  readonly dials?: Partial<NodeDials>;
  /** False leaves dead owners to the TTL. */
  readonly fastTakeover?: boolean;
  /** Where peers and health checks connect; none unless given. */
  readonly gateway?: {
    readonly host?: string;
    readonly port?: number;
    readonly token?: string;
    /** Says who a connection is, whatever it claims; without it, peers are believed. */
    readonly identify?: IdentifyPeer;
  };
  /** Where browsers of a workspace go; without it their frames are forwarded. */
  readonly relay?: Partial<RelaySettings>;
  readonly logger?: Logger;
}

/** A running node inside an application. */
export interface HostedNode extends BackplaneNode {
  /** `http://host:port` of the gateway; null without one. */
  readonly address: string | null;
}

/**
 * Starts a node in this process. `stop` hands its documents over and closes everything.
 *
 * Fails with a `BackplaneError`: URL_INVALID, CONFIG_INVALID, CLUSTER_MISMATCH,
 * BACKPLANE_UNREACHABLE, AUTH_FAILED, PERMISSION_DENIED, STORE_LOCKED, STORE_CORRUPT and others.
 */
export async function createNode(options: NodeOptions = {}): Promise<HostedNode> {
  const connection = {
    engineUrl: parseEngineUrl(options.url ?? null),
    storeUrl: options.store === undefined ? null : parseStoreUrl(options.store),
    prefix: checkPrefix(options.prefix ?? 'backplane:'),
    dataDir: options.dataDir ?? dataFolder(process.env, homedir()),
    brokerPort: options.brokerPort ?? 7_421,
  };
  const { gateway } = options;
  const hosted = await hostNode(
    {
      connection,
      nodeId: options.nodeId ?? null,
      hostname: hostname(),
      pid: process.pid,
      version,
      dials: { ...defaultDials, ...options.dials },
      fastTakeover: options.fastTakeover ?? true,
      documentEngine: options.documentEngine ?? 'json',
      relay: relaySettings(options.relay),
      gateway: gateway
        ? {
            host: gateway.host ?? '127.0.0.1',
            port: gateway.port ?? null,
            identify: gateway.identify,
            token: gateway.token === undefined ? null : new Secret(gateway.token),
          }
        : null,
      launchBroker: connection.engineUrl.kind === 'embedded' ? brokerProgram(connection) : null,
      drainRequested: () => void hosted.stop(),
    },
    {
      clock: new SystemClock(),
      random: new SystemRandom(),
      logger: options.logger ?? silentLogger,
    },
  );
  return asApplicationNode(hosted);
}

function relaySettings(given: Partial<RelaySettings> = {}): RelaySettings {
  const publicUrl = given.publicUrl ?? null;
  return {
    ...noRedirects,
    ...given,
    publicUrl: publicUrl === null ? null : checkPublicUrl(publicUrl),
  };
}

/** The node with the end of everything it stands on in its own `stop`. */
function asApplicationNode({ node, address, stop }: Hosted): HostedNode {
  return {
    address,
    nodeId: node.nodeId,
    caches: node.caches,
    get presence() {
      return node.presence;
    },
    get relay() {
      return node.relay;
    },
    start: async () => {},
    stop: (how) => (how === 'crash' ? node.stop('crash').then(stop) : stop()),
    session: () => node.session(),
    submit: (...args) => node.submit(...args),
    request: (...args) => node.request(...args),
    handle: (...args) => node.handle(...args),
    follow: (...args) => node.follow(...args),
    readState: (...args) => node.readState(...args),
    setAwareness: (...args) => node.setAwareness(...args),
    readiness: () => node.readiness(),
    metrics: () => node.metrics(),
    countConnections: (...args) => node.countConnections(...args),
    acquire: (...args) => node.acquire(...args),
    release: (...args) => node.release(...args),
    ownedEpoch: (...args) => node.ownedEpoch(...args),
    onDraining: (...args) => node.onDraining(...args),
    drain: () => node.drain(),
  };
}

/**
 * A cache region of a node: `createCache({ node, region: 'users' })`. Evictions reach every node that
 * has the region; `Cache` says what holds when they cannot.
 */
export function createCache<Value>(
  options: CacheOptions<Value> & { readonly node: Pick<BackplaneNode, 'caches'> },
): Cache<Value> {
  const { node, ...rest } = options;
  return node.caches.create<Value>(rest);
}

/** What happens in a node, as one line of JSON an event; for `createNode({ logger })`. */
export function jsonLogger(out: Writable, level: LogLevel = 'info'): Logger {
  return new JsonLogger({ out, clock: new SystemClock(), level });
}

export { BackplaneError, type Certainty, type ErrorCode } from './foundation/errors.ts';
export type { IdentifyPeer, PeerClaim } from './gateway/identify-peer.ts';
export type { LogFacts, Logger, LogLevel } from './ports/logger.ts';
export type { Cache, CacheLoad, CacheOptions, NodeCaches, WhenCut } from './runtime/cache/cache.ts';
export type {
  BackplaneNode,
  HandledRequest,
  NodeMetrics,
  Readiness,
  RequestHandler,
} from './runtime/node.ts';
export type { NodeDials } from './runtime/node-settings.ts';
export type { Connection, ConnectionIdentity } from './runtime/presence/connection.ts';
export type { AttributeMatch, ConnectionSelector } from './runtime/presence/connection-selector.ts';
export type {
  AnswerStatus,
  ConnectionDoor,
  FindOptions,
  GroupPresence,
  Invocation,
  InvocationAnswer,
  PresenceDoor,
  RegisteredConnection,
  SendOptions,
  SendReport,
  UserPresence,
} from './runtime/presence/presence-door.ts';
export type { RelaySettings } from './runtime/relay/redirect-rules.ts';
export type {
  AwarenessChange,
  DocumentState,
  FollowedOp,
  Follower,
  FollowFrom,
  Following,
  OpReceipt,
  OpSubmission,
  OwnerChange,
  ReplyReport,
  RequestOptions,
  RequestReport,
  RequestTarget,
} from './runtime/reports.ts';
