import { BackplaneError } from '../foundation/errors.ts';
import { closeCodes, peerProtocol } from '../foundation/peer-protocol.ts';
import {
  type ClientText,
  type NodeMessage,
  relayCloseCodes,
  relayProtocol,
} from '../foundation/relay-protocol.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { type BackoffRange, backoffMs } from './backoff.ts';
import { base64Url } from './base64-url.ts';
import { readNodeMessage } from './read-node-message.ts';
import { redirectedUrl } from './redirected-url.ts';
import type { BinarySocketLike, WebSocketConstructor, WebSocketLike } from './web-socket.ts';

export interface LineSettings {
  /** WebSocket addresses of nodes with the path of the workspace, tried in turn. */
  readonly urls: readonly string[];
  /** Asked for each connection. */
  readonly query: () => Readonly<Record<string, string>>;
  readonly token: string | null;
  readonly WebSocket: WebSocketConstructor;
  readonly clock: Clock;
  readonly random: Random;
  readonly reconnect: BackoffRange;
  readonly connectMs: number;
  readonly pingMs: number;
}

export interface LineEvents {
  state(state: LineState): void;
  message(message: NodeMessage): void;
  letter(bytes: Uint8Array): void;
  /** For good; nothing comes after it. */
  failed(error: BackplaneError): void;
}

export type LineState = 'connecting' | 'connected' | 'waiting' | 'closed' | 'failed';

const broken = 1006;
/** A connection that lived this long ends a row of failures. */
const stableMs = 1_000;

/** A connection to some node, and another whenever it ends; it follows one redirect at a time. */
export class RelayLine {
  readonly #settings: LineSettings;
  readonly #events: LineEvents;
  #socket: BinarySocketLike | null = null;
  #state: LineState = 'connecting';
  #nodeId: string | null = null;
  #url = '';
  #urlIndex = 0;
  #failures = 0;
  #welcomedMs: number | null = null;
  #heardMs = 0;
  #timer: Timer | null = null;
  #pings: Timer | null = null;
  #returnAfterMs: number | null = null;
  #redirectTo: string | null = null;
  #isRedirected = false;
  /** Where a redirect led could not be reached, or is no place to go: so be forwarded. */
  #isStaying = false;

  constructor(settings: LineSettings, events: LineEvents) {
    this.#settings = settings;
    this.#events = events;
    this.#connect();
  }

  get state(): LineState {
    return this.#state;
  }

  get nodeId(): string | null {
    return this.#state === 'connected' ? this.#nodeId : null;
  }

  /** Whether this connection came of a redirect. */
  get isRedirected(): boolean {
    return this.#isRedirected;
  }

  /** False when it did not leave. */
  send(message: Uint8Array | ClientText): boolean {
    const socket = this.#socket;
    if (!socket || this.#state !== 'connected') return false;
    try {
      socket.send(message instanceof Uint8Array ? message : JSON.stringify(message));
      return true;
    } catch {
      this.#ended(socket, broken, 'the connection does not take messages');
      return false;
    }
  }

  close(): void {
    this.#finish('closed');
  }

  #connect(): void {
    const { urls, query, token, WebSocket, clock, connectMs } = this.#settings;
    const target = this.#redirectTo;
    this.#redirectTo = null;
    this.#isRedirected = target !== null;
    const base = target ?? urls[this.#urlIndex % urls.length] ?? '';
    const hops: Record<string, string> = this.#isRedirected ? { hops: '1' } : {};
    if (this.#isStaying) hops.redirect = 'never';
    this.#url = base;
    this.#become('connecting');
    if (this.#state !== 'connecting') return;
    const proof = token === null ? [] : [peerProtocol.tokenSubprotocol + base64Url(token)];
    const url = `${base}?${new URLSearchParams({ ...query(), ...hops })}`;
    const socket = new WebSocket(url, [relayProtocol.subprotocol, ...proof]) as BinarySocketLike;
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#heardMs = clock.monotonicMs();
    const late = () => this.#ended(socket, broken, 'no welcome in time');
    this.#timer = clock.after(connectMs, late);
    socket.addEventListener('message', ({ data }) => this.#received(socket, data));
    // An error says nothing, for the security of the page; the close that follows does.
    socket.addEventListener('error', () => {});
    socket.addEventListener('close', ({ code = broken, reason = '' }) => {
      this.#ended(socket, code, reason);
    });
  }

  #received(socket: WebSocketLike, data: unknown): void {
    if (this.#socket !== socket) return;
    this.#heardMs = this.#settings.clock.monotonicMs();
    if (data instanceof ArrayBuffer) {
      if (this.#state === 'connected') this.#events.letter(new Uint8Array(data));
      return;
    }
    const message = readNodeMessage(data);
    if (!message) return;
    if (message.type === 'welcome') return this.#welcomed(message.nodeId);
    if (this.#state !== 'connected') return;
    if (message.type === 'draining') this.#returnAfterMs = message.reconnectAfterMs;
    if (message.type === 'redirect') this.#redirected(message.url);
    this.#events.message(message);
  }

  #redirected(url: string): void {
    this.#redirectTo = this.#isRedirected ? null : redirectedUrl(url, this.#url);
    if (this.#redirectTo === null) this.#isStaying = true;
  }

  #welcomed(nodeId: string): void {
    this.#timer?.cancel();
    this.#nodeId = nodeId;
    this.#welcomedMs = this.#settings.clock.monotonicMs();
    this.#pingLater();
    this.#become('connected');
  }

  #pingLater(): void {
    const { clock, pingMs } = this.#settings;
    const socket = this.#socket;
    this.#pings?.cancel();
    this.#pings = clock.after(pingMs, () => {
      if (!socket || this.#socket !== socket) return;
      const silentMs = clock.monotonicMs() - this.#heardMs;
      if (silentMs > 2.5 * pingMs) return this.#ended(socket, broken, 'the node went silent');
      if (silentMs >= pingMs / 2) this.send({ type: 'ping' });
      if (this.#socket === socket) this.#pingLater();
    });
  }

  #ended(socket: WebSocketLike, code: number, reason: string): void {
    if (this.#socket !== socket) return;
    this.#drop(socket);
    const error = fatalError(code, reason);
    if (error) return this.#finish('failed', error);
    const { clock, random, reconnect, urls } = this.#settings;
    const livedMs = this.#welcomedMs === null ? 0 : clock.monotonicMs() - this.#welcomedMs;
    const wasWelcomed = this.#welcomedMs !== null;
    this.#welcomedMs = null;
    if (this.#isRedirected && !wasWelcomed) this.#isStaying = true;
    if (livedMs >= stableMs) this.#failures = 0;
    const isRedirect = code === relayCloseCodes.redirected && this.#redirectTo !== null;
    if (!isRedirect) this.#redirectTo = null;
    const rounds = Math.floor(this.#failures / urls.length);
    const pauseMs = this.#returnAfterMs ?? backoffMs(reconnect, rounds, random);
    this.#returnAfterMs = null;
    if (!isRedirect) {
      this.#failures += 1;
      // A node we were sent to is none of ours: the next attempt begins where this one did.
      if (!this.#isRedirected) this.#urlIndex += 1;
    }
    this.#become('waiting');
    if (this.#state !== 'waiting') return;
    this.#timer = clock.after(isRedirect ? 0 : pauseMs, () => this.#connect());
  }

  #drop(socket: WebSocketLike): void {
    this.#socket = null;
    this.#timer?.cancel();
    this.#pings?.cancel();
    try {
      // The closing handshake of a half-open connection takes for ever; nobody waits for it here.
      socket.close(1000);
    } catch {
      // It was not open.
    }
  }

  #finish(state: 'closed' | 'failed', error?: BackplaneError): void {
    if (this.#state === 'closed' || this.#state === 'failed') return;
    this.#timer?.cancel();
    if (this.#socket) this.#drop(this.#socket);
    this.#become(state);
    if (error) this.#events.failed(error);
  }

  #become(state: LineState): void {
    if (this.#state === state && state !== 'connecting') return;
    this.#state = state;
    this.#events.state(state);
  }
}

/** An end after which the same attempt would end the same way. */
function fatalError(code: number, reason: string): BackplaneError | null {
  switch (code) {
    case closeCodes.unauthorized:
      return new BackplaneError('UNAUTHORIZED', reason || 'the token is missing or wrong');
    case closeCodes.protocolUnknown:
      return new BackplaneError('PROTOCOL_UNKNOWN', reason || `not ${relayProtocol.version}`);
    case closeCodes.messageInvalid:
      return new BackplaneError('REQUEST_INVALID', `the node refused a message: ${reason}`);
    case closeCodes.messageTooLarge:
      return new BackplaneError('PAYLOAD_TOO_LARGE', `the node refused a message: ${reason}`);
    case relayCloseCodes.daemonTaken:
      return new BackplaneError('RELAY_DAEMON_TAKEN', reason || 'the workspace has another daemon');
    default:
      return null;
  }
}
