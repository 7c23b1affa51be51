import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { closeCodes, peerProtocol } from '../foundation/peer-protocol.ts';
import { type Clock, repeat, sleep, type Timer } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { BackplaneNode } from '../runtime/node.ts';
import { type Doorkeeper, subprotocolsOf } from './doorkeeper.ts';
import type { GatewayBounds } from './gateway-bounds.ts';
import type { GatewayCounters } from './gateway-counters.ts';
import { PeerAwareness } from './peer-awareness.ts';
import { PeerSession } from './peer-session.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';

export interface PeerHubParts {
  readonly node: BackplaneNode;
  readonly doorkeeper: Doorkeeper;
  readonly bounds: GatewayBounds;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly counters: GatewayCounters;
}

const drainStepMs = 50;

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
      if (doorkeeper.isAuthorized(request)) return this.#open(opened);
      counters.add('gateway_peers_refused_total', 'unauthorized');
      // A browser shows its page the close code, but never the status of a refused handshake.
      opened.on('error', () => {});
      opened.close(closeCodes.unauthorized, 'the token is missing or wrong');
      const timer = clock.after(bounds.closeMs, () => opened.terminate());
      opened.on('close', () => timer.cancel());
    });
  }

  /**
   * Sends every peer away, in no order, at a bounded rate and with a time to come back that is
   * spread: or a rolling restart would throw all of them at the next node at once.
   */
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

  #open(socket: WebSocket): void {
    const session: PeerSession = new PeerSession({
      ...this.#parts,
      socket,
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
    const { bounds, clock, random, logger } = this.#parts;
    const leaving = shuffled([...this.#sessions], random);
    if (leaving.length === 0) return;
    logger.event('info', 'gateway.draining', { peers: leaving.length });
    const fastest = (leaving.length / bounds.drainMsMax) * 1_000;
    const perSecond = Math.max(bounds.drainPeersPerSecond, fastest);
    const perStep = Math.max(1, Math.ceil((perSecond * drainStepMs) / 1_000));
    for (let at = 0; at < leaving.length; at += perStep) {
      if (at > 0) await sleep(clock, drainStepMs);
      for (const session of leaving.slice(at, at + perStep)) {
        session.sendAway(Math.floor(random.fraction() * returnSpreadMs));
      }
    }
    await this.#untilEmpty(bounds.closeMs);
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

/** Peers come back within this long of being sent away; more makes each of them wait longer. */
const returnSpreadMs = 500;

/** ws closes a connection whose message is too large by itself, but without a word. */
class PeerSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    const isSilent = code === closeCodes.messageTooLarge && reason === undefined;
    super.close(code, isSilent ? 'the message is larger than this node takes' : reason);
  }
}

function shuffled<T>(items: T[], random: Random): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random.fraction() * (last + 1));
    [items[last], items[other]] = [items[other] as T, items[last] as T];
  }
  return items;
}
