import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { asBackplaneError } from '../foundation/errors.ts';
import { closeCodes } from '../foundation/peer-protocol.ts';
import { relayLimits, relayProtocol } from '../foundation/relay-protocol.ts';
import { repeat, type Timer } from '../ports/clock.ts';
import { subprotocolsOf } from './doorkeeper.ts';
import { type PeerHubParts, PeerSocket } from './peer-hub.ts';
import { type RelayRequest, readRelayRequest, redirectedQuery } from './read-relay-request.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { RelaySession } from './relay-session.ts';
import { sendAllAway } from './send-all-away.ts';

/** All relay connections of this node. */
export class RelayHub {
  readonly #parts: PeerHubParts;
  readonly #sessions = new Set<RelaySession>();
  readonly #server: WebSocketServer;
  readonly #keepAlive: Timer;
  #draining: Promise<void> | null = null;
  #empty: (() => void) | null = null;

  constructor(parts: PeerHubParts) {
    const { bounds, clock } = parts;
    this.#parts = parts;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: relayLimits.messageBytesMax,
      handleProtocols: () => relayProtocol.subprotocol,
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

  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { doorkeeper, bounds, counters } = this.#parts;
    const refuse = (status: number, reason: string, message: string) => {
      counters.add('gateway_peers_refused_total', reason);
      refuseUpgrade(socket, status, message);
    };
    if (!subprotocolsOf(request).includes(relayProtocol.subprotocol)) {
      return refuse(400, 'subprotocol', `offer the subprotocol ${relayProtocol.subprotocol}`);
    }
    if (this.#draining) return refuse(503, 'draining', 'the node is stopping');
    if (this.#sessions.size >= bounds.peersMax) {
      return refuse(503, 'full', `${this.#sessions.size} connections are open, which is the most`);
    }
    const isAuthorized = doorkeeper.isAuthorized(request);
    try {
      const wish = readRelayRequest(request);
      const url = isAuthorized ? await this.#redirectBefore(wish) : null;
      if (url !== null) return this.#redirect(request, socket, url);
      this.#server.handleUpgrade(request, socket, head, (opened) => {
        if (isAuthorized) this.#open(opened, wish);
        else this.#turnAway(opened);
      });
    } catch (thrown) {
      const { code, message } = asBackplaneError(thrown);
      if (code === 'INTERNAL') throw thrown;
      refuse(400, 'request', message);
    }
  }

  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  async stop(): Promise<void> {
    await this.drain();
    this.#keepAlive.cancel();
    for (const session of this.#sessions) session.terminate();
  }

  async #redirectBefore(wish: RelayRequest): Promise<string | null> {
    if (wish.role !== 'browser' || wish.redirect !== '307') return null;
    return this.#parts.node.relay.redirectFor(wish.workspace);
  }

  #redirect(request: IncomingMessage, socket: Duplex, url: string): void {
    const query = redirectedQuery(request);
    const location = `${url}${query === '' ? '' : '&'}${query}`;
    socket.on('error', () => {});
    socket.once('finish', () => socket.destroy());
    const lines = ['HTTP/1.1 307 Temporary Redirect', 'Connection: close', 'Content-Length: 0'];
    socket.end(`${[...lines, `Location: ${location}`].join('\r\n')}\r\n\r\n`);
  }

  #turnAway(opened: WebSocket): void {
    const { bounds, counters, clock } = this.#parts;
    counters.add('gateway_peers_refused_total', 'unauthorized');
    opened.on('error', () => {});
    opened.close(closeCodes.unauthorized, 'the token is missing or wrong');
    const timer = clock.after(bounds.closeMs, () => opened.terminate());
    opened.on('close', () => timer.cancel());
  }

  #open(socket: WebSocket, request: RelayRequest): void {
    const session: RelaySession = new RelaySession({
      ...this.#parts,
      socket,
      request,
      left: () => {
        this.#sessions.delete(session);
        if (this.#sessions.size === 0) this.#empty?.();
      },
    });
    this.#sessions.add(session);
    // It was let in while the node began to stop.
    if (this.#draining) session.sendAway(0);
  }

  async #drain(): Promise<void> {
    await sendAllAway([...this.#sessions], this.#parts);
    if (this.#sessions.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#parts.clock.after(this.#parts.bounds.closeMs, resolve);
      this.#empty = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
