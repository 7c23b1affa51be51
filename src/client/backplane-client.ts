import { BackplaneError } from '../foundation/errors.ts';
import {
  closeCodes,
  type PeerIdentity,
  peerLimits,
  peerProtocol,
  type ServerMessage,
  type WelcomeLimits,
} from '../foundation/peer-protocol.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { type BackoffRange, backoffMs } from './backoff.ts';
import { checkName } from './check-name.ts';
import type { DocumentHandle, OpenOptions } from './document-handle.ts';
import { type InvocationHandler, Invocations } from './invocations.ts';
import type { Answer, Line, LineRequest } from './line.ts';
import { Listeners } from './listeners.ts';
import { OpenDocument } from './open-document.ts';
import { type LinkEnd, PeerLink, type Welcome } from './peer-link.ts';
import type { WebSocketConstructor } from './web-socket.ts';

export interface ClientSettings {
  /** WebSocket addresses of nodes, tried in turn. */
  readonly urls: readonly string[];
  readonly token: string | null;
  readonly identity?: PeerIdentity;
  readonly WebSocket: WebSocketConstructor;
  readonly clock: Clock;
  readonly random: Random;
  readonly reconnect: BackoffRange;
  readonly connectMs: number;
  readonly pingMs: number;
}

/** `waiting`: for the next attempt. `failed`: for good, and `error` says why. */
export type ClientState = 'connecting' | 'connected' | 'waiting' | 'closed' | 'failed';

export interface ClientEvents {
  state: ClientState;
}

/** A connection that lived this long ends a row of failures. */
const stableMs = 1_000;
/** After `draining` the node closes; one that does not is left. */
const drainingMs = 5_000;

/**
 * A peer of a cluster: one connection to one node at a time, and another one, to the next node,
 * whenever that ends. What documents send and follow outlives the connections.
 */
export class BackplaneClient {
  readonly #settings: ClientSettings;
  readonly #listeners = new Listeners<ClientEvents>();
  readonly #documents = new Map<string, OpenDocument>();
  readonly #invocations = new Invocations((message) => this.#link?.send(message));
  readonly #unanswered = new Map<number, LineRequest>();
  readonly #line: Line;
  #unansweredBytes = 0;
  #lastRef = 0;
  #limits: WelcomeLimits = peerLimits;
  #state: ClientState = 'connecting';
  #error: BackplaneError | null = null;
  #link: PeerLink | null = null;
  #nodeId: string | null = null;
  #connection: string | null = null;
  #urlIndex = 0;
  #failures = 0;
  #connectedMs = 0;
  #timer: Timer | null = null;
  /** Set once the node said it will close: nothing new is sent to it. */
  #returnAfterMs: number | null = null;

  constructor(settings: ClientSettings) {
    this.#settings = settings;
    const isUp = () => this.#state === 'connected' && this.#returnAfterMs === null;
    this.#line = {
      get isUp() {
        return isUp();
      },
      post: (message) => {
        if (this.#state === 'connected') this.#link?.post(message);
      },
      request: (request) => this.#request(request),
    };
    this.#connect();
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Why it failed for good. */
  get error(): BackplaneError | null {
    return this.#error;
  }

  /** The node it is connected to. */
  get nodeId(): string | null {
    return this.#state === 'connected' ? this.#nodeId : null;
  }

  /** Its name in the cluster; another after each reconnect. */
  get connection(): string | null {
    return this.#state === 'connected' ? this.#connection : null;
  }

  /** Called with what nodes send to this connection, its user, its groups. */
  onMessage(listen: (payload: unknown) => void): () => void {
    return this.#invocations.onMessage(listen);
  }

  /** Answers invocations of a method; what it throws is what the caller gets. */
  handle(method: string, handler: InvocationHandler): () => void {
    return this.#invocations.handle(method, handler);
  }

  on<Name extends keyof ClientEvents>(
    name: Name,
    listen: (event: ClientEvents[Name]) => void,
  ): () => void {
    return this.#listeners.on(name, listen);
  }

  /** Joins a document, now or as soon as there is a connection. Once for each document at a time. */
  open(doc: string, options: OpenOptions = {}): DocumentHandle {
    if (this.#error) throw this.#error;
    if (this.#documents.has(checkName(doc))) {
      throw new BackplaneError('CONFLICT', `"${doc}" is open in this client`, {
        remedy: 'use the handle that is open, close it, or connect a second client',
      });
    }
    const { clock, random } = this.#settings;
    const document = new OpenDocument({
      doc,
      options,
      line: this.#line,
      clock,
      random,
      closed: (closed) => {
        if (this.#documents.get(doc) === closed) this.#documents.delete(doc);
      },
    });
    this.#documents.set(doc, document);
    return document;
  }

  /** Resolves once connected; rejects when that will never be. */
  async connected(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const settle = () => {
        if (this.#state === 'connected') resolve();
        else if (this.#error) reject(this.#error);
        else return;
        unlisten();
      };
      const unlisten = this.on('state', settle);
      settle();
    });
  }

  /** Closes every document and the connection; what was not acknowledged fails. Twice is once. */
  async close(): Promise<void> {
    if (this.#error) return;
    for (const document of [...this.#documents.values()]) document.close();
    this.#finish(
      'closed',
      new BackplaneError('CLOSED', 'the client was closed', { remedy: 'connect again' }),
    );
  }

  #connect(): void {
    const { urls } = this.#settings;
    const url = urls[this.#urlIndex % urls.length] ?? '';
    this.#become('connecting');
    if (this.#state !== 'connecting') return;
    const link: PeerLink = new PeerLink({
      ...this.#settings,
      url,
      welcomed: (welcome) => this.#welcomed(welcome),
      received: (message) => this.#received(message),
      ended: (end) => {
        if (this.#link === link) this.#linkEnded(end);
      },
    });
    this.#link = link;
  }

  #welcomed(welcome: Welcome): void {
    this.#nodeId = welcome.nodeId;
    this.#connection = welcome.connection ?? null;
    this.#limits = { ...peerLimits, ...welcome.limits };
    this.#connectedMs = this.#settings.clock.monotonicMs();
    this.#returnAfterMs = null;
    this.#become('connected');
    for (const document of [...this.#documents.values()]) document.lineUp();
  }

  #received(message: ServerMessage): void {
    switch (message.type) {
      case 'ack':
      case 'refused':
      case 'reply':
        return this.#answered(message);
      case 'joined':
      case 'ops':
      case 'awareness':
      case 'failed':
        return this.#documents.get(message.doc)?.receive(message);
      case 'message':
      case 'invoke':
      case 'cancel':
        return this.#invocations.receive(message);
      case 'draining': {
        this.#returnAfterMs = message.reconnectAfterMs;
        this.#timer?.cancel();
        this.#timer = this.#settings.clock.after(drainingMs, () => this.#link?.close());
        return this.#leaveWhenAnswered();
      }
    }
  }

  #request(request: LineRequest): boolean {
    const link = this.#link;
    if (!link || !this.#line.isUp) return false;
    const { unackedMax, unackedBytesMax } = this.#limits;
    const waiting = this.#unanswered.size;
    if (waiting >= unackedMax) return false;
    if (waiting > 0 && this.#unansweredBytes + request.bytes > unackedBytesMax) return false;
    this.#lastRef += 1;
    this.#unanswered.set(this.#lastRef, request);
    this.#unansweredBytes += request.bytes;
    link.send(request.text(this.#lastRef));
    return true;
  }

  #answered(answer: Answer): void {
    const request = this.#unanswered.get(answer.ref);
    if (!request) return;
    this.#unanswered.delete(answer.ref);
    this.#unansweredBytes -= request.bytes;
    request.answered(answer);
    // There is room again, and any document may be waiting for it.
    for (const document of this.#documents.values()) document.pump();
    this.#leaveWhenAnswered();
  }

  /** A node that stops has answered everything: it need not wait for us, nor we for it. */
  #leaveWhenAnswered(): void {
    if (this.#returnAfterMs !== null && this.#unanswered.size === 0) this.#link?.close();
  }

  #linkEnded(end: LinkEnd): void {
    const wasConnected = this.#state === 'connected';
    this.#forgetLink();
    const error = fatalError(end);
    if (error) return this.#finish('failed', error);
    const { clock, random, reconnect } = this.#settings;
    if (wasConnected && clock.monotonicMs() - this.#connectedMs >= stableMs) this.#failures = 0;
    // Another address may be well while this one is not: only a round of failures slows down.
    const rounds = Math.floor(this.#failures / this.#settings.urls.length);
    const delayMs = this.#returnAfterMs ?? backoffMs(reconnect, rounds, random);
    this.#failures += 1;
    this.#urlIndex += 1;
    this.#returnAfterMs = null;
    this.#become('waiting');
    if (this.#state !== 'waiting') return;
    this.#timer = clock.after(delayMs, () => this.#connect());
  }

  #forgetLink(): void {
    this.#timer?.cancel();
    this.#link = null;
    this.#invocations.lineDown();
    const lost = [...this.#unanswered.values()];
    this.#unanswered.clear();
    this.#unansweredBytes = 0;
    for (const request of lost) request.answered(null);
    for (const document of [...this.#documents.values()]) document.lineDown();
  }

  #finish(state: 'closed' | 'failed', error: BackplaneError): void {
    if (this.#error) return;
    this.#error = error;
    const link = this.#link;
    this.#forgetLink();
    link?.close();
    for (const document of [...this.#documents.values()]) document.lose(error);
    this.#documents.clear();
    this.#become(state);
  }

  #become(state: ClientState): void {
    if (this.#state === state && state !== 'connecting') return;
    this.#state = state;
    this.#listeners.emit('state', state);
  }
}

/** An end after which the same attempt would end the same way. */
function fatalError({ code, reason }: LinkEnd): BackplaneError | null {
  switch (code) {
    case closeCodes.unauthorized:
      return new BackplaneError('UNAUTHORIZED', reason || 'the token is missing or wrong');
    case closeCodes.protocolUnknown:
      return new BackplaneError('PROTOCOL_UNKNOWN', reason || `not ${peerProtocol.version}`);
    case closeCodes.kicked:
      return new BackplaneError('KICKED', reason || 'the node closed the connection');
    case closeCodes.messageInvalid:
      return new BackplaneError('REQUEST_INVALID', `the node refused a message: ${reason}`);
    case closeCodes.messageTooLarge:
      return new BackplaneError('PAYLOAD_TOO_LARGE', `the node refused a message: ${reason}`);
    default:
      return null;
  }
}
