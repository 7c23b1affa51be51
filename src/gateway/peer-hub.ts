import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { closeCodes, peerProtocol } from '../foundation/peer-protocol.ts';
import { type Clock, repeat, type Timer } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { BackplaneNode } from '../runtime/node.ts';
import { type Doorkeeper, subprotocolsOf } from './doorkeeper.ts';
import type { GatewayBounds } from './gateway-bounds.ts';
import type { GatewayCounters } from './gateway-counters.ts';
import { type IdentifyPeer, identifyPeer } from './identify-peer.ts';
import { PeerAwareness } from './peer-awareness.ts';
import { PeerSession } from './peer-session.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { sendAllAway } from './send-all-away.ts';

export interface PeerHubParts {
  readonly node: BackplaneNode;
  readonly doorkeeper: Doorkeeper;
  readonly bounds: GatewayBounds;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly counters: GatewayCounters;
  readonly identify?: IdentifyPeer | undefined;
}

/** All peers of this node: lets them in, keeps them alive, and sends them away when it stops. */
export class PeerHub {
  readonly #parts: PeerHubParts;
  readonly #sessions = new Set<PeerSession>();
  readonly #awareness: PeerAwareness;
  readonly #server: WebSocketServer;
  readonly #keepAlive: Timer;
  #draining: Promise<void> | null = null;
  #empty: (() => void) | null = null;

  constructor(parts: PeerHubParts) {
    const { bounds, node, clock } = parts;
    this.#parts = parts;
    this.#awareness = new PeerAwareness(node, bounds.awarenessMax);
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // A compressed bomb of a few kilobytes would be a message of megabytes.
      perMessageDeflate: false,
      maxPayload: bounds.messageBytesMax,
      handleProtocols: () => peerProtocol.subprotocol,
      WebSocket: PeerSocket,
    });
    this.#keepAlive = repeat(
      clock,
      () => bounds.keepAliveMs,
      () => {
        for (const session of [...this.#sessions]) session.checkAlive();
      },
    );
  }

  get size(): number {
    return this.#sessions.size;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { doorkeeper, bounds, counters, clock } = this.#parts;
    const refuse = (status: number, reason: string, message: string) => {
      counters.add('gateway_peers_refused_total', reason);
      refuseUpgrade(socket, status, message);
    };
    if (!subprotocolsOf(request).includes(peerProtocol.subprotocol)) {
      return refuse(400, 'subprotocol', `offer the subprotocol ${peerProtocol.subprotocol}`);
    }
    if (this.#draining) return refuse(503, 'draining', 'the node is stopping');
    if (this.#sessions.size >= bounds.peersMax) {
      return refuse(503, 'full', `${this.#sessions.size} peers are connected, which is the most`);
    }
    this.#server.handleUpgrade(request, socket, head, (opened) => {
      if (doorkeeper.isAuthorized(request)) return this.#open(opened, request);
      counters.add('gateway_peers_refused_total', 'unauthorized');
      // A browser shows its page the close code, but never the status of a refused handshake.
      opened.on('error', () => {});
      opened.close(closeCodes.unauthorized, 'the token is missing or wrong');
      const timer = clock.after(bounds.closeMs, () => opened.terminate());
      opened.on('close', () => timer.cancel());
    });
  }

  /** Sends every peer away, not all in one instant. */
  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  /** After this nobody is connected, politely or not. */
  async stop(): Promise<void> {
    await this.drain();
    this.#keepAlive.cancel();
    for (const session of this.#sessions) session.terminate();
  }

  #open(socket: WebSocket, request: IncomingMessage): void {
    const { identify, ...parts } = this.#parts;
    const { headers, url = '' } = request;
    const session: PeerSession = new PeerSession({
      ...parts,
      socket,
      ...(identify && {
        identify: (claimed) => identifyPeer(identify, { claimed, headers, url }),
      }),
      awareness: this.#awareness,
      left: () => {
        this.#sessions.delete(session);
        this.#count();
        if (this.#sessions.size === 0) this.#empty?.();
      },
    });
    this.#sessions.add(session);
    this.#count();
    // It was let in while the node began to stop.
    if (this.#draining) session.sendAway(0);
  }

  #count(): void {
    this.#parts.node.countConnections(this.#sessions.size);
  }

  async #drain(): Promise<void> {
    if (this.#sessions.size === 0) return;
    this.#parts.logger.event('info', 'gateway.draining', { peers: this.#sessions.size });
    await sendAllAway([...this.#sessions], this.#parts);
    await this.#untilEmpty(this.#parts.bounds.closeMs);
  }

  async #untilEmpty(timeoutMs: number): Promise<void> {
    if (this.#sessions.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#parts.clock.after(timeoutMs, resolve);
      this.#empty = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

/** ws closes a connection whose message is too large by itself, but without a word. */
export class PeerSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    const isSilent = code === closeCodes.messageTooLarge && reason === undefined;
    super.close(code, isSilent ? 'the message is larger than this node takes' : reason);
  }
}
