import type { RawData, WebSocket } from 'ws';
import { asBackplaneError, BackplaneError } from '../foundation/errors.ts';
import { opIdOf } from '../foundation/identifiers.ts';
import { closeCodes, peerProtocol } from '../foundation/peer-protocol.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { BackplaneNode } from '../runtime/node.ts';
import type { ConnectionIdentity } from '../runtime/presence/connection.ts';
import type { RegisteredConnection } from '../runtime/presence/presence-door.ts';
import { FollowedDocument } from './followed-document.ts';
import type { GatewayBounds } from './gateway-bounds.ts';
import type { GatewayCounters } from './gateway-counters.ts';
import { MessagePace } from './message-pace.ts';
import type { PeerAwareness } from './peer-awareness.ts';
import { PeerConnection } from './peer-connection.ts';
import { PeerOutlet } from './peer-outlet.ts';
import { payloadBytes, type ReadMessage, readClientMessage } from './read-client-message.ts';
import { replyText } from './reply-text.ts';
import { wireError } from './wire-error.ts';

export interface PeerSessionParts {
  readonly socket: WebSocket;
  readonly node: BackplaneNode;
  readonly bounds: GatewayBounds;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: GatewayCounters;
  readonly awareness: PeerAwareness;
  /** Overrules what the peer says of itself; throws to refuse it. */
  identify?(claimed: ConnectionIdentity): Promise<ConnectionIdentity>;
  left(session: PeerSession): void;
}

/** Why the node closes a connection, as a metric's label and as a close code. */
const cuts = {
  'message-invalid': closeCodes.messageInvalid,
  'protocol-unknown': closeCodes.protocolUnknown,
  'hello-missing': closeCodes.helloMissing,
  'slow-peer': closeCodes.tryLater,
  draining: closeCodes.restarting,
  kicked: closeCodes.kicked,
  unauthorized: closeCodes.unauthorized,
  full: closeCodes.tryLater,
} as const;

/** For what a peer sent before it heard that the node stops. */
const lingerMs = 250;

/**
 * One connected peer: reads its messages, asks the node, answers. Everything it may use of the
 * node is bounded, and ends with the connection.
 */
export class PeerSession {
  readonly #parts: PeerSessionParts;
  readonly #outlet: PeerOutlet;
  readonly #pace: MessagePace;
  readonly #documents = new Map<string, FollowedDocument>();
  readonly #connection: PeerConnection;
  #registered: RegisteredConnection | null = null;
  #hello: Timer | null;
  #closing: Timer | null = null;
  #isGreeted = false;
  #isDraining = false;
  #isGone = false;
  #isHeard = true;
  #unacked = 0;
  #unackedBytes = 0;

  constructor(parts: PeerSessionParts) {
    const { socket, bounds, clock, counters } = parts;
    this.#parts = parts;
    this.#outlet = new PeerOutlet({
      socket,
      counters,
      queueBytesMax: bounds.queueBytesMax,
      tooSlow: (bytes) => this.#cut('slow-peer', `slow peer: ${bytes} bytes wait for it`),
    });
    this.#connection = new PeerConnection(this.#outlet, (why) => this.#cut('kicked', why));
    this.#pace = new MessagePace({
      clock,
      messagesPerSecond: bounds.messagesPerSecond,
      socket,
      paused: () => counters.add('gateway_peers_paused_total'),
    });
    this.#hello = clock.after(bounds.helloMs, () => {
      this.#cut('hello-missing', `no hello within ${bounds.helloMs} ms`);
    });
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('pong', () => {
      this.#isHeard = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => this.#failed(error));
    socket.on('close', () => this.#leave());
  }

  /** Called at every keep-alive interval: pings, and gives up a peer that let the last one pass. */
  checkAlive(): void {
    const { socket, counters } = this.#parts;
    if (!this.#isHeard) {
      counters.add('gateway_peers_cut_total', 'silent');
      return socket.terminate();
    }
    this.#isHeard = false;
    if (socket.readyState === socket.OPEN) socket.ping(() => {});
  }

  /**
   * Announces the end, lets what is under way be answered, and closes unless the peer does. What
   * it sent before it knew is refused: a close without a word would leave open whether it was run.
   */
  sendAway(reconnectAfterMs: number): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#outlet.post({ type: 'draining', reconnectAfterMs });
    const { clock, bounds } = this.#parts;
    const closeAtMs = clock.monotonicMs() + bounds.closeMs / 2;
    const closeWhenAnswered = () => {
      if (this.#unacked === 0 || clock.monotonicMs() >= closeAtMs) {
        this.#closing = null;
        return this.#cut('draining', 'the node is stopping');
      }
      this.#closing = clock.after(lingerMs, closeWhenAnswered);
    };
    this.#closing = clock.after(lingerMs, closeWhenAnswered);
  }

  terminate(): void {
    this.#parts.socket.terminate();
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#isHeard = true;
    this.#pace.take();
    // What was on its way when we closed is answered by the close.
    if (this.#parts.socket.readyState !== this.#parts.socket.OPEN) return;
    try {
      if (isBinary) throw new BackplaneError('REQUEST_INVALID', 'messages are text, not binary');
      this.#act(readClientMessage(data.toString()));
    } catch (thrown) {
      const { code, message } = asBackplaneError(thrown);
      if (code === 'INTERNAL') throw thrown;
      this.#cut('message-invalid', `${code}: ${message}`);
    }
  }

  #act(message: ReadMessage): void {
    this.#parts.counters.add('gateway_messages_received_total', message.type);
    if (message.type === 'hello') return this.#greet(message);
    if (!this.#isGreeted) {
      throw new BackplaneError('REQUEST_INVALID', 'the first message should be hello');
    }
    switch (message.type) {
      case 'join':
        return this.#join(message.doc, message.since ?? null, message.state ?? false);
      case 'leave':
        return this.#leaveDocument(message.doc);
      case 'op':
        return this.#op(message);
      case 'rpc':
        return this.#rpc(message);
      case 'awareness':
        return this.#setAwareness(message);
      case 'result':
        return this.#connection.answered(message);
      case 'ping':
        return this.#outlet.post({ type: 'pong' });
    }
  }

  #greet({ peerProtocol: version, ...hello }: ReadMessage & { type: 'hello' }): void {
    const { identify, socket } = this.#parts;
    if (this.#isGreeted) throw new BackplaneError('REQUEST_INVALID', 'hello was said before');
    if (version !== peerProtocol.version) {
      const why = `this node speaks peer protocol ${peerProtocol.version}`;
      return this.#cut('protocol-unknown', why);
    }
    this.#isGreeted = true;
    this.#hello?.cancel();
    const { type: _, ...claimed } = hello;
    if (!identify) return this.#register(claimed);
    // What it sends before it is known who it is waits in the network.
    socket.pause();
    identify(claimed)
      .then(
        (identity) => this.#register(identity),
        () => this.#cut('unauthorized', 'this node does not let you in'),
      )
      .finally(() => socket.resume());
  }

  #register(identity: ConnectionIdentity): void {
    const { node, bounds, counters, socket } = this.#parts;
    if (socket.readyState !== socket.OPEN) return;
    try {
      this.#registered = node.presence.register(identity, this.#connection);
    } catch (thrown) {
      const { code, message } = asBackplaneError(thrown);
      const isOurs = code === 'OVERLOADED' || code === 'CLOSED';
      return this.#cut(isOurs ? 'full' : 'message-invalid', `${code}: ${message}`);
    }
    counters.add('gateway_peers_opened_total');
    const { messageBytesMax, documentsMax, unackedMax, unackedBytesMax } = bounds;
    this.#outlet.post({
      type: 'welcome',
      nodeId: node.nodeId,
      session: node.session(),
      connection: this.#registered.id,
      limits: { messageBytesMax, documentsMax, unackedMax, unackedBytesMax },
    });
  }

  #join(doc: string, since: number | null, wantsState: boolean): void {
    const { node, bounds } = this.#parts;
    this.#leaveDocument(doc);
    if (this.#documents.size >= bounds.documentsMax) {
      const why = `one connection follows at most ${bounds.documentsMax} documents`;
      const error = wireError(new BackplaneError('OVERLOADED', why));
      return this.#outlet.post({ type: 'failed', doc, ...error });
    }
    const document = new FollowedDocument({
      doc,
      node,
      outlet: this.#outlet,
      stateBytesMax: bounds.queueBytesMax,
      isOwnPeer: (name, peer) => this.#parts.awareness.isOwnedBy(this, name, peer),
      ended: (ended, error) => {
        if (this.#documents.get(doc) === ended) this.#documents.delete(doc);
        this.#outlet.post({ type: 'failed', doc, ...wireError(error) });
      },
    });
    this.#documents.set(doc, document);
    void document.start(since, wantsState);
  }

  #leaveDocument(doc: string): void {
    this.#documents.get(doc)?.close();
    this.#documents.delete(doc);
  }

  #op(message: ReadMessage & { type: 'op' }): void {
    const { doc, peer, counter, ref } = message;
    const payload = payloadBytes(message);
    this.#answer(ref, payload.length, async () => {
      const receipt = await this.#parts.node.submit(doc, { peer, counter, payload });
      const { seq, epoch } = receipt;
      this.#outlet.post({ type: 'ack', ref, doc, opId: opIdOf(peer, counter), seq, epoch });
    });
  }

  #rpc(message: ReadMessage & { type: 'rpc' }): void {
    const { doc, method, ref } = message;
    const payload = payloadBytes(message);
    this.#answer(ref, payload.length, async () => {
      const report = await this.#parts.node.request({ kind: 'doc', doc }, method, payload);
      this.#outlet.send(replyText(ref, report));
    });
  }

  /** Bounds what one peer can have under way, and answers a failure by `ref`. */
  #answer(ref: number, bytes: number, run: () => Promise<void>): void {
    const { bounds } = this.#parts;
    if (this.#isDraining) {
      return this.#refuse(ref, new BackplaneError('DRAINING', 'the node is stopping'));
    }
    if (this.#unacked >= bounds.unackedMax) {
      const why = `${this.#unacked} ops and requests of this connection wait`;
      return this.#refuse(ref, new BackplaneError('OVERLOADED', why));
    }
    if (this.#unacked > 0 && this.#unackedBytes + bytes > bounds.unackedBytesMax) {
      const why = `${this.#unackedBytes} bytes of this connection wait`;
      return this.#refuse(ref, new BackplaneError('OVERLOADED', why));
    }
    this.#unacked += 1;
    this.#unackedBytes += bytes;
    run()
      .catch((error) => this.#refuse(ref, error))
      .finally(() => {
        this.#unacked -= 1;
        this.#unackedBytes -= bytes;
      });
  }

  #refuse(ref: number, thrown: unknown): void {
    const error = wireError(thrown);
    this.#parts.counters.add('gateway_ops_refused_total', error.code);
    if (error.code === 'INTERNAL') {
      const { message } = asBackplaneError(thrown);
      this.#parts.logger.event('error', 'gateway.request-failed', { message });
    }
    this.#outlet.post({ type: 'refused', ref, ...error });
  }

  #setAwareness(message: ReadMessage & { type: 'awareness' }): void {
    const { doc, peer, state } = message;
    try {
      const bytes = state === null ? null : Buffer.from(JSON.stringify(state));
      this.#parts.awareness.set(this, doc, peer, bytes);
    } catch (thrown) {
      // It has no ref, and the next state replaces this one anyway.
      const { code } = asBackplaneError(thrown);
      this.#parts.counters.add('gateway_ops_refused_total', code);
    }
  }

  #cut(why: keyof typeof cuts, reason: string): void {
    const { socket, clock, bounds, counters } = this.#parts;
    if (socket.readyState !== socket.OPEN) return;
    counters.add('gateway_peers_cut_total', why);
    socket.close(cuts[why], closeReason(reason));
    // One that is slow or gone will not answer the close.
    this.#closing?.cancel();
    this.#closing = clock.after(bounds.closeMs, () => socket.terminate());
    this.#release();
  }

  #failed(error: NodeJS.ErrnoException): void {
    const { counters, socket, clock, bounds } = this.#parts;
    const isTooLarge = error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
    counters.add('gateway_peers_cut_total', isTooLarge ? 'message-too-large' : 'broken');
    this.#closing ??= clock.after(bounds.closeMs, () => socket.terminate());
  }

  #release(): void {
    for (const document of this.#documents.values()) document.close();
    this.#documents.clear();
    this.#connection.ended();
    void this.#registered?.close();
    this.#parts.awareness.forget(this);
  }

  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#hello?.cancel();
    this.#closing?.cancel();
    this.#pace.stop();
    this.#release();
    this.#parts.left(this);
  }
}

/** A close frame has room for 123 bytes of reason. */
export function closeReason(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 120);
}
