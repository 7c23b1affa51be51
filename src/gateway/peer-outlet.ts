import type { WebSocket } from 'ws';
import type { ServerMessage } from '../foundation/peer-protocol.ts';
import type { GatewayCounters } from './gateway-counters.ts';

export interface OutletParts {
  readonly socket: WebSocket;
  readonly queueBytesMax: number;
  readonly counters: GatewayCounters;
  /** More waits for the peer than may. */
  tooSlow(queuedBytes: number): void;
}

/**
 * What goes to one peer. Nobody else's memory pays for one who does not read: beyond its bound the
 * peer is cut off, and can resume where it was.
 */
export class PeerOutlet {
  readonly #parts: OutletParts;

  constructor(parts: OutletParts) {
    this.#parts = parts;
  }

  get isOpen(): boolean {
    return this.#parts.socket.readyState === this.#parts.socket.OPEN;
  }

  post(message: ServerMessage): void {
    this.send(JSON.stringify(message));
  }

  send(text: string): void {
    if (this.#admits()) this.#parts.socket.send(text, ignoreOutcome);
  }

  /** Resolves when the text has left for the network, or never will. */
  sendAndFlush(text: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#admits()) this.#parts.socket.send(text, () => resolve());
      else resolve();
    });
  }

  #admits(): boolean {
    const { socket, queueBytesMax, counters, tooSlow } = this.#parts;
    if (socket.readyState !== socket.OPEN) return false;
    if (socket.bufferedAmount > queueBytesMax) {
      tooSlow(socket.bufferedAmount);
      return false;
    }
    counters.add('gateway_messages_sent_total');
    return true;
  }
}

/** Without a callback, ws throws the failure of a send at whoever is around. */
function ignoreOutcome(): void {}
