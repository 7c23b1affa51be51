import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { invariant } from '../foundation/assert.ts';
import { BackplaneError } from '../foundation/errors.ts';
import { peerProtocol } from '../foundation/peer-protocol.ts';
import type { Secret } from '../foundation/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { BackplaneNode } from '../runtime/node.ts';
import { Doorkeeper } from './doorkeeper.ts';
import { type GatewayBounds, gatewayBounds } from './gateway-bounds.ts';
import { GatewayCounters } from './gateway-counters.ts';
import { HttpPages } from './http-pages.ts';
import type { IdentifyPeer } from './identify-peer.ts';
import { listen } from './listen.ts';
import { isLoopback } from './loopback.ts';
import { PeerHub } from './peer-hub.ts';
import { isRelayPath } from './read-relay-request.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { RelayHub } from './relay-hub.ts';

export interface GatewaySettings {
  readonly host: string;
  /** Null: 7420, or the next free one. */
  readonly port: number | null;
  readonly token: Secret | null;
  /** Further names this gateway goes by, for the check of `Host`. */
  readonly names?: readonly string[];
  /** How many ports to try when none was named. */
  readonly portsTried?: number;
  readonly bounds?: Partial<GatewayBounds>;
  /** Says who a peer is, whatever it claims. */
  readonly identify?: IdentifyPeer | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** How the outside reaches a node: health and metrics over HTTP, peers over WebSockets. */
export interface Gateway {
  /** Where it listens, as `http://host:port`. */
  address(): string;
  /** From now on peers are let in. When the node has drained, they are sent elsewhere. */
  serve(node: BackplaneNode): void;
  /** Sends every peer away at a bounded rate; new ones are refused. The pages stay. */
  drain(): Promise<void>;
  /** Drains and stops listening. Twice is once. */
  stop(): Promise<void>;
}

/**
 * Listens, and answers health pages; peers come with `serve`. Listening first tells the node its
 * address, and a port that is taken is known before a cluster is joined.
 *
 * Throws TOKEN_REQUIRED, PORT_BUSY, CONFIG_INVALID.
 */
export async function createGateway(settings: GatewaySettings): Promise<Gateway> {
  const { host, port, token } = settings;
  if (!token && !isLoopback(host)) {
    throw new BackplaneError('TOKEN_REQUIRED', `listening on ${host} without a token`);
  }
  if (token?.reveal() === '') throw new BackplaneError('CONFIG_INVALID', 'the token is empty');
  const gateway = new ListeningGateway(settings);
  await gateway.listen({ host, port, portsTried: settings.portsTried ?? 64 });
  return gateway;
}

class ListeningGateway implements Gateway {
  readonly #settings: GatewaySettings;
  readonly #bounds: GatewayBounds;
  readonly #counters = new GatewayCounters();
  readonly #doorkeeper: Doorkeeper;
  readonly #server: Server;
  #node: BackplaneNode | null = null;
  #hub: PeerHub | null = null;
  #relay: RelayHub | null = null;
  #port = 0;
  #isDraining = false;
  #stopping: Promise<void> | null = null;

  constructor(settings: GatewaySettings) {
    this.#settings = settings;
    this.#bounds = { ...gatewayBounds, ...settings.bounds };
    this.#doorkeeper = new Doorkeeper({ names: [], ...settings });
    this.#server = this.#makeServer();
  }

  async listen(place: { host: string; port: number | null; portsTried: number }): Promise<void> {
    this.#port = await listen(this.#server, place);
    this.#server.on('error', (error: NodeJS.ErrnoException) => {
      this.#settings.logger.event('warn', 'gateway.server-failed', { code: error.code });
    });
    this.#settings.logger.event('info', 'gateway.listening', { address: this.address() });
  }

  address(): string {
    const { host } = this.#settings;
    const bare = host.replace(/^\[|\]$/g, '');
    return `http://${bare.includes(':') ? `[${bare}]` : bare}:${this.#port}`;
  }

  serve(node: BackplaneNode): void {
    invariant(this.#node === null, 'a gateway serves one node');
    this.#node = node;
    const { clock, random, logger } = this.#settings;
    const doorkeeper = this.#doorkeeper;
    const counters = this.#counters;
    const bounds = this.#bounds;
    const parts = { node, doorkeeper, counters, bounds, clock, random, logger };
    const { identify } = this.#settings;
    this.#hub = new PeerHub({ ...parts, identify });
    this.#relay = new RelayHub(parts);
    node.onDraining(() => void this.drain());
  }

  async drain(): Promise<void> {
    this.#isDraining = true;
    await Promise.all([this.#hub?.drain(), this.#relay?.drain()]);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.drain();
    await Promise.all([this.#hub?.stop(), this.#relay?.stop()]);
    this.#server.closeAllConnections();
    await closed;
  }

  #makeServer(): Server {
    const { headersMs, requestMs, peersMax } = this.#bounds;
    const server = createServer({
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      keepAliveTimeout: 5_000,
      // How often those two are looked at; a peer that dribbles its header keeps a socket no longer.
      connectionsCheckingInterval: Math.min(headersMs, 2_000),
      maxHeaderSize: 16_384,
    });
    server.maxHeadersCount = 64;
    server.maxConnections = peersMax + 256;
    const pages = new HttpPages({
      doorkeeper: this.#doorkeeper,
      counters: this.#counters,
      logger: this.#settings.logger,
      node: () => this.#node,
      isDraining: () => this.#isDraining,
    });
    server.on('request', (request, response) => void pages.answer(request, response));
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    return server;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => {});
    const refuse = (status: number, reason: string, message: string) => {
      this.#counters.add('gateway_peers_refused_total', reason);
      refuseUpgrade(socket, status, message);
    };
    if (!this.#doorkeeper.knowsHost(request)) {
      return refuse(421, 'host', 'the Host header does not name this node');
    }
    if (!this.#doorkeeper.trustsOrigin(request)) {
      return refuse(403, 'origin', 'pages of other sites need the token');
    }
    if (isRelayPath(request.url ?? '')) {
      if (!this.#relay) return refuse(503, 'starting', 'the node is starting');
      return void this.#relay.upgrade(request, socket, head);
    }
    if ((request.url ?? '').replace(/\?.*$/s, '') !== peerProtocol.path) {
      return refuse(404, 'path', `peers connect to ${peerProtocol.path}`);
    }
    if (!this.#hub) return refuse(503, 'starting', 'the node is starting');
    this.#hub.upgrade(request, socket, head);
  }
}
