import type { RawData, WebSocket } from 'ws';
import { asBackplaneError, BackplaneError } from '../foundation/errors.ts';
import { closeCodes } from '../foundation/peer-protocol.ts';
import { parsePlainJson } from '../foundation/plain-json.ts';
import { type NodeMessage, relayCloseCodes, relayLimits } from '../foundation/relay-protocol.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { BackplaneNode } from '../runtime/node.ts';
import type { RelayDoor, RelaySeat } from '../runtime/relay/relay-door.ts';
import type { GatewayBounds } from './gateway-bounds.ts';
import type { GatewayCounters } from './gateway-counters.ts';
import { MessagePace } from './message-pace.ts';
import type { RelayRequest } from './read-relay-request.ts';
import { ReadingStops } from './reading-stops.ts';

export interface RelaySessionParts {
  readonly socket: WebSocket;
  readonly request: RelayRequest;
  readonly node: BackplaneNode;
  readonly bounds: GatewayBounds;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: GatewayCounters;
  left(session: RelaySession): void;
}

/** For what a client sent before it heard that the node stops. */
const lingerMs = 250;

/** One relay connection, of a browser or a daemon: its letters to the runtime, and back. */
export class RelaySession {
  readonly #parts: RelaySessionParts;
  readonly #stops: ReadingStops;
  readonly #pace: MessagePace;
  readonly #reader: { pause(): void; resume(): void };
  #seat: RelaySeat | null = null;
  #closing: Timer | null = null;
  #isHeard = true;
  #isDraining = false;
  #isGone = false;

  constructor(parts: RelaySessionParts) {
    const { socket, bounds, clock, counters } = parts;
    this.#parts = parts;
    this.#stops = new ReadingStops(socket);
    this.#reader = this.#stops.for('slow reader');
    this.#pace = new MessagePace({
      clock,
      messagesPerSecond: bounds.messagesPerSecond,
      socket: this.#stops.for('too fast'),
      paused: () => counters.add('gateway_peers_paused_total'),
    });
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('pong', () => {
      this.#isHeard = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#parts.logger.event('debug', 'gateway.relay-failed', { code: error.code });
    });
    socket.on('close', () => this.#leave());
    void this.#arrive();
  }

  /** Called at every keep-alive interval. One we do not read cannot answer, and is not asked. */
  checkAlive(): void {
    const { socket, counters } = this.#parts;
    if (this.#stops.isStopped) {
      this.#isHeard = true;
      return;
    }
    if (!this.#isHeard) {
      counters.add('gateway_peers_cut_total', 'silent');
      return socket.terminate();
    }
    this.#isHeard = false;
    if (socket.readyState === socket.OPEN) socket.ping(() => {});
  }

  sendAway(reconnectAfterMs: number): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#say({ type: 'draining', reconnectAfterMs });
    this.#closing = this.#parts.clock.after(lingerMs, () => {
      this.#end(closeCodes.restarting, 'the node is stopping', 'draining');
    });
  }

  terminate(): void {
    this.#parts.socket.terminate();
  }

  async #arrive(): Promise<void> {
    const { request, node, counters } = this.#parts;
    const waiting = this.#stops.for('arriving');
    waiting.pause();
    try {
      if (request.role === 'daemon') this.#seat = await node.relay.daemon(request, this.#door());
      if (this.#isGone) return this.#seat?.leave();
      this.#say({
        type: 'welcome',
        nodeId: node.nodeId,
        messageBytesMax: relayLimits.messageBytesMax,
      });
      if (request.role === 'browser') {
        const mayRedirect = request.redirect === 'message';
        this.#seat = node.relay.browser({ ...request, mayRedirect }, this.#door());
      }
      counters.add('gateway_peers_opened_total');
    } catch (thrown) {
      this.#refuse(thrown);
    } finally {
      waiting.resume();
    }
  }

  #refuse(thrown: unknown): void {
    const { code, message } = asBackplaneError(thrown);
    const isTaken = code === 'RELAY_DAEMON_TAKEN';
    const closeCode = isTaken ? relayCloseCodes.daemonTaken : closeCodes.tryLater;
    this.#end(closeCode, `${code}: ${message}`, isTaken ? 'daemon-taken' : 'not-now');
    this.#parts.logger.event('info', 'gateway.relay-refused', { code, message });
  }

  #door(): RelayDoor {
    return {
      deliver: (letter, left) => this.#deliver(letter, left),
      say: (message) => this.#say(message),
      end: (code, reason) => this.#end(code, reason, reasonOf(code)),
      pause: () => this.#reader.pause(),
      resume: () => this.#reader.resume(),
    };
  }

  #deliver(letter: Uint8Array, left: () => void): void {
    const { socket, counters, bounds } = this.#parts;
    if (socket.readyState !== socket.OPEN) return left();
    const waits = socket.bufferedAmount;
    if (waits > bounds.relayQueueBytesMax) {
      left();
      return this.#end(closeCodes.tryLater, `slow reader: ${waits} bytes wait for it`, 'slow-peer');
    }
    counters.add('gateway_messages_sent_total');
    socket.send(letter, () => left());
  }

  #say(message: NodeMessage): void {
    const { socket } = this.#parts;
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message), () => {});
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#isHeard = true;
    this.#pace.take();
    const { socket, counters } = this.#parts;
    if (socket.readyState !== socket.OPEN) return;
    try {
      if (isBinary) {
        counters.add('gateway_messages_received_total', 'letter');
        this.#seat?.take(bytesOf(data));
      } else this.#receiveText(data.toString());
    } catch (thrown) {
      const { code, message } = asBackplaneError(thrown);
      if (code === 'INTERNAL') throw thrown;
      this.#end(closeCodes.messageInvalid, `${code}: ${message}`, 'message-invalid');
    }
  }

  #receiveText(text: string): void {
    const message = parsePlainJson(text, 'the message') as Record<string, unknown> | null;
    const type = message?.type;
    if (type === 'ping') return this.#say({ type: 'pong' });
    const frames = message?.frames;
    if (type !== 'dropped' || !Number.isSafeInteger(frames) || (frames as number) < 0) {
      throw new BackplaneError('REQUEST_INVALID', 'a text message is ping or dropped');
    }
    this.#seat?.dropped(Math.min(frames as number, 1_000_000));
  }

  #end(code: number, reason: string, label: string): void {
    const { socket, bounds, clock, counters } = this.#parts;
    if (socket.readyState !== socket.OPEN) return;
    counters.add('gateway_peers_cut_total', label);
    // A close frame carries at most 123 bytes of reason.
    socket.close(
      code,
      Buffer.from(reason)
        .subarray(0, 120)
        .toString('utf8')
        .replace(/\uFFFD$/, ''),
    );
    this.#closing?.cancel();
    this.#closing = clock.after(bounds.closeMs, () => socket.terminate());
  }

  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#closing?.cancel();
    this.#pace.stop();
    this.#seat?.leave();
    this.#parts.left(this);
  }
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

function reasonOf(code: number): string {
  if (code === relayCloseCodes.redirected) return 'redirected';
  return code === relayCloseCodes.daemonTaken ? 'daemon-taken' : 'ended';
}
