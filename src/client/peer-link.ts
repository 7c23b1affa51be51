import {
  type ClientMessage,
  type PeerIdentity,
  peerProtocol,
  type ServerMessage,
  type WelcomeLimits,
} from '../foundation/peer-protocol.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import { base64Url } from './base64-url.ts';
import { readServerMessage } from './read-server-message.ts';
import type { WebSocketConstructor, WebSocketLike } from './web-socket.ts';

export interface PeerLinkParts {
  readonly url: string;
  readonly token: string | null;
  readonly identity?: PeerIdentity;
  readonly WebSocket: WebSocketConstructor;
  readonly clock: Clock;
  /** How long the way to `welcome` may take. */
  readonly connectMs: number;
  /** A quiet connection is pinged this often; after two unanswered ones it is given up. */
  readonly pingMs: number;
  welcomed(welcome: Welcome): void;
  received(message: ServerMessage): void;
  /** Once, whatever happened; nothing is received after it. */
  ended(end: LinkEnd): void;
}

export type Welcome = ServerMessage & { type: 'welcome' } & { readonly limits: WelcomeLimits };

export interface LinkEnd {
  /** The close code; 1006 when the connection broke or was given up. */
  readonly code: number;
  readonly reason: string;
}

const broken = 1006;

/** One connection to one node, from the handshake to its end. It is never used again. */
export class PeerLink {
  readonly #parts: PeerLinkParts;
  readonly #socket: WebSocketLike;
  readonly #deadline: Timer;
  #pings: Timer | null = null;
  #heardMs: number;
  #isWelcomed = false;
  #isOver = false;

  constructor(parts: PeerLinkParts) {
    const { url, token, WebSocket, clock } = parts;
    this.#parts = parts;
    this.#heardMs = clock.monotonicMs();
    this.#deadline = clock.after(parts.connectMs, () => this.#end(broken, 'no welcome in time'));
    const proof = token === null ? [] : [peerProtocol.tokenSubprotocol + base64Url(token)];
    const socket = new WebSocket(url, [peerProtocol.subprotocol, ...proof]);
    this.#socket = socket;
    socket.addEventListener('open', () => {
      this.post({ type: 'hello', peerProtocol: peerProtocol.version, ...parts.identity });
    });
    socket.addEventListener('message', ({ data }) => this.#receive(data));
    // An error says nothing, for the security of the page; the close that follows does.
    socket.addEventListener('error', () => {});
    socket.addEventListener('close', ({ code = broken, reason = '' }) => this.#end(code, reason));
  }

  post(message: ClientMessage): void {
    this.send(JSON.stringify(message));
  }

  send(text: string): void {
    if (this.#isOver) return;
    try {
      this.#socket.send(text);
    } catch {
      this.#end(broken, 'the connection does not take messages');
    }
  }

  close(): void {
    this.#end(1000, 'closed by the client');
  }

  #receive(data: unknown): void {
    if (this.#isOver) return;
    this.#heardMs = this.#parts.clock.monotonicMs();
    const message = readServerMessage(data);
    if (!message) return;
    if (message.type !== 'welcome') {
      if (this.#isWelcomed) this.#parts.received(message);
      return;
    }
    this.#isWelcomed = true;
    this.#deadline.cancel();
    this.#pingLater();
    this.#parts.welcomed(message);
  }

  #pingLater(): void {
    const { clock, pingMs } = this.#parts;
    this.#pings = clock.after(pingMs, () => {
      const silentMs = clock.monotonicMs() - this.#heardMs;
      if (silentMs > 2.5 * pingMs) return this.#end(broken, 'the node went silent');
      if (silentMs >= pingMs / 2) this.post({ type: 'ping' });
      if (!this.#isOver) this.#pingLater();
    });
  }

  #end(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadline.cancel();
    this.#pings?.cancel();
    try {
      // The closing handshake of a half-open connection takes for ever; nobody waits for it here.
      this.#socket.close(1000);
    } catch {
      // It was not open.
    }
    this.#parts.ended({ code, reason });
  }
}
