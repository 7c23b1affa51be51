import type { SocketEvent, SocketEventType, WebSocketLike } from '../../client/web-socket.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import type { SimNetwork } from './sim-network.ts';
import type { SimProcess } from './sim-process.ts';

const opening = 0;
const open = 1;
const closing = 2;
const closed = 3;
const broken = 1006;

/** The node's end of a connection: what the gateway uses of a `ws` WebSocket. */
export class NodeSocket {
  readonly OPEN = open;
  readyState: number = open;
  bufferedAmount = 0;
  readonly #wire: Wire;
  readonly #listeners = new Map<string, (...args: unknown[]) => void>();

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  on(name: string, listen: (...args: never[]) => void): this {
    this.#listeners.set(name, listen as (...args: unknown[]) => void);
    return this;
  }

  send(text: string | Uint8Array, sent: (error?: Error) => void): void {
    if (this.readyState !== open) return sent(new Error('the socket is closed'));
    this.bufferedAmount += text.length;
    this.#wire.toPeer(
      () => this.#wire.peerEnd.receive(text),
      () => {
        this.bufferedAmount -= text.length;
        sent();
      },
    );
  }

  ping(sent: () => void): void {
    this.#wire.toPeer(() => this.#wire.toNode(() => this.emit('pong')), sent);
  }

  close(code = 1000, reason = ''): void {
    if (this.readyState !== open) return;
    this.readyState = closing;
    this.#wire.toPeer(() => this.#wire.peerEnd.hearClose(code, reason));
  }

  terminate(): void {
    if (this.readyState === closed) return;
    this.#wire.toPeer(() => this.#wire.peerEnd.hearClose(broken, ''));
    this.hearClose();
  }

  pause(): void {}

  resume(): void {}

  hearClose(): void {
    if (this.readyState === closed) return;
    this.readyState = closed;
    this.emit('close');
  }

  emit(name: string, ...args: unknown[]): void {
    this.#listeners.get(name)?.(...args);
  }
}

/** The peer's end: what the client needs of a WebSocket. */
export class PeerSocket implements WebSocketLike {
  readonly #wire: Wire;
  readonly #listeners = new Map<string, (event: SocketEvent) => void>();
  #state = opening;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  addEventListener(type: SocketEventType, listen: (event: SocketEvent) => void): void {
    this.#listeners.set(type, listen);
  }

  send(text: string | Uint8Array): void {
    if (this.#state !== open) throw new BackplaneError('CLOSED', 'the socket is not open');
    const isBinary = typeof text !== 'string';
    this.#wire.toNode(() => this.#wire.nodeEnd.emit('message', text, isBinary));
  }

  close(): void {
    if (this.#state === closed || this.#state === closing) return;
    const wasOpen = this.#state === open;
    this.#state = closing;
    if (wasOpen) this.#wire.toNode(() => this.#wire.nodeEnd.hearClose());
    else this.#wire.giveUp();
    this.hearClose(1000, '');
  }

  get isClosed(): boolean {
    return this.#state === closed;
  }

  opened(): void {
    if (this.#state !== opening) return;
    this.#state = open;
    this.#listeners.get('open')?.({});
  }

  receive(text: string | Uint8Array): void {
    if (this.#state !== open) return;
    const data = typeof text === 'string' ? text : text.slice().buffer;
    this.#listeners.get('message')?.({ data });
  }

  hearClose(code: number, reason: string): void {
    if (this.#state === closed) return;
    if (this.#state === open) this.#wire.toNode(() => this.#wire.nodeEnd.hearClose());
    this.#state = closed;
    this.#listeners.get('close')?.({ code, reason });
  }
}

export interface WireParts {
  readonly network: SimNetwork;
  /** The machine the peer wants to reach. */
  readonly machine: string;
  readonly peer: SimProcess;
  /** Who listens there when the request to connect arrives; null when nobody does. */
  listener(): WireListener | null;
}

export interface WireListener {
  readonly process: SimProcess;
  accept(wire: Wire): void;
}

/** One TCP connection between a peer and a process of a node. */
export class Wire {
  readonly nodeEnd: NodeSocket;
  readonly peerEnd: PeerSocket;
  readonly #parts: WireParts;
  #node: SimProcess | null = null;
  #isGivenUp = false;
  #isTorn = false;

  constructor(parts: WireParts) {
    this.#parts = parts;
    this.nodeEnd = new NodeSocket(this);
    this.peerEnd = new PeerSocket(this);
  }

  /** Asks to be let in; what comes of it the peer's end hears. */
  dial(): void {
    const { network, machine, peer, listener } = this.#parts;
    const arrive = () => {
      const found = listener();
      if (this.#isGivenUp) return;
      if (!found) return this.toPeer(() => this.peerEnd.hearClose(broken, ''));
      this.#node = found.process;
      found.process.deliver(() => found.accept(this));
    };
    network.send({ from: peer.name, to: machine, arrive });
  }

  toPeer(arrive: () => void, left?: () => void): void {
    const { network, machine, peer } = this.#parts;
    network.send({
      from: machine,
      to: peer.name,
      arrive: () => {
        left?.();
        // A machine answers what comes for a socket that was closed with a reset.
        if (this.peerEnd.isClosed) this.toNode(() => this.nodeEnd.hearClose());
        else peer.deliver(arrive);
      },
      lost: () => this.#tear(),
    });
  }

  toNode(arrive: () => void): void {
    const { network, machine, peer } = this.#parts;
    network.send({
      from: peer.name,
      to: machine,
      arrive: () => this.#node?.deliver(arrive),
      lost: () => this.#tear(),
    });
  }

  /** The peer does not want it any more, before it was let in. */
  giveUp(): void {
    this.#isGivenUp = true;
  }

  /** Something is missing in the stream, and will never come: both ends find it broken. */
  #tear(): void {
    if (this.#isTorn) return;
    this.#isTorn = true;
    const { peer } = this.#parts;
    peer.deliver(() => this.peerEnd.hearClose(broken, ''));
    this.#node?.deliver(() => this.nodeEnd.hearClose());
  }

  /** The node's process has ended: its machine says so, unless it went with it. */
  reset(): void {
    this.toPeer(() => this.peerEnd.hearClose(broken, ''));
  }
}
