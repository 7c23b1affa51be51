import { BackplaneClient } from '../../client/backplane-client.ts';
import type { DocumentHandle, DocumentOp } from '../../client/document-handle.ts';
import type { WebSocketConstructor, WebSocketLike } from '../../client/web-socket.ts';
import { asBackplaneError } from '../../foundation/errors.ts';
import type { Random } from '../../ports/random.ts';
import type { Coverage } from './coverage.ts';
import type { SimHistory } from './sim-history.ts';
import type { SimProcess } from './sim-process.ts';

export interface SimPeerParts {
  readonly name: string;
  readonly process: SimProcess;
  readonly random: Random;
  readonly history: SimHistory;
  readonly coverage: Coverage;
  readonly machines: readonly string[];
  /** Where it connects first; drawn when it is null. */
  readonly first: string | null;
  dial(machine: string): WebSocketLike;
  /** What a peer should never be told. */
  unexpected(what: string): void;
}

const viewSettlesMs = 5_000;

interface OpenHandle {
  readonly handle: DocumentHandle;
  readonly subscriber: string;
  /** Its own state, the number of it, which grows. */
  awareness: number;
}

/**
 * A peer: the client library itself, over simulated wires. Sends, follows, sets awareness, and tells
 * the history what it sent, what it was told, and what it heard.
 */
export class SimPeer {
  readonly name: string;
  readonly #parts: SimPeerParts;
  readonly #client: BackplaneClient;
  readonly #handles = new Map<string, OpenHandle>();
  /** By the label in its payload: under which id an op was sent last. */
  readonly #sentAs = new Map<number, string>();
  readonly #invoked = new Set<string>();
  #labels = 0;
  #connections = 0;
  /** Since when it is connected as it is now. */
  #sinceMs = Number.POSITIVE_INFINITY;

  constructor(parts: SimPeerParts) {
    this.#parts = parts;
    this.name = parts.name;
    const { process, random, machines } = parts;
    const drawn = Math.floor(random.fraction() * machines.length);
    const first = parts.first === null ? drawn : machines.indexOf(parts.first);
    const urls = machines.map((_, at) => machines[(first + at) % machines.length] as string);
    this.#client = new BackplaneClient({
      urls,
      token: null,
      WebSocket: this.#sockets(),
      clock: process,
      random,
      reconnect: { firstMs: 100, mostMs: 10_000 },
      connectMs: 10_000,
      pingMs: 10_000,
    });
    this.#client.on('state', (state) => {
      if (state !== 'connected') return;
      this.#connections += 1;
      this.#sinceMs = process.monotonicMs();
      if (this.#connections > 1) parts.coverage.add('peerReconnects');
    });
  }

  /** The node it is connected to. */
  get nodeId(): string | null {
    return this.#client.nodeId;
  }

  get waiting(): number {
    let waiting = 0;
    for (const { handle } of this.#handles.values()) waiting += handle.unacknowledged;
    return waiting;
  }

  documents(): string[] {
    return [...this.#handles.keys()];
  }

  open(doc: string, after: number): void {
    const { history, unexpected } = this.#parts;
    const handle = this.#client.open(doc, { since: after });
    const subscriber = `${this.name}/${doc}`;
    history.record({ ev: 'subscribe', subscriber, doc, after });
    this.#handles.set(doc, { handle, subscriber, awareness: 0 });
    handle.on('op', ({ seq, opId, epoch }: DocumentOp) => {
      history.record({ ev: 'deliver', subscriber, doc, seq, opId, epoch });
    });
    handle.on('awareness', () => {});
    handle.on('lost', (error) => {
      this.#handles.delete(doc);
      unexpected(`${subscriber} was lost: ${error.code}`);
    });
  }

  send(doc: string): void {
    const open = this.#handles.get(doc);
    if (!open) return;
    this.#labels += 1;
    const label = this.#labels;
    const { history, coverage, unexpected } = this.#parts;
    open.handle.send({ [this.name]: label }).then(
      ({ opId, seq }) => {
        this.#sentAs.delete(label);
        this.#invoked.delete(opId);
        coverage.add('opsAcknowledged');
        history.record({ ev: 'op.ok', doc, opId, seq });
      },
      (thrown) => {
        const { code, certainty } = asBackplaneError(thrown);
        const opId = this.#sentAs.get(label);
        this.#sentAs.delete(label);
        if (opId) history.record({ ev: 'op.fail', doc, opId, code, certainty });
        if (code !== 'CLOSED') unexpected(`an op of ${this.name} was refused with ${code}`);
      },
    );
  }

  setAwareness(doc: string): void {
    const open = this.#handles.get(doc);
    if (!open) return;
    open.awareness += 1;
    const state = { n: open.awareness };
    open.handle.setAwareness(state);
    const peer = open.subscriber;
    this.#parts.history.record({ ev: 'awareness.set', doc, peer, clock: open.awareness, state });
  }

  /** What it sees now of everybody's awareness. */
  tellViews(nameOf: (doc: string, peer: string) => string | null): void {
    // Whoever has just come is still being told who is there.
    if (this.#parts.process.monotonicMs() - this.#sinceMs < viewSettlesMs) return;
    for (const [doc, { handle, subscriber, awareness }] of this.#handles) {
      const states: Record<string, { clock: number; state: unknown }> = {};
      for (const [peer, state] of handle.awareness) {
        const name = nameOf(doc, peer);
        const clock = (state as { n: number }).n;
        if (name) states[name] = { clock, state };
      }
      if (awareness > 0) states[subscriber] = { clock: awareness, state: { n: awareness } };
      const viewer = `${subscriber}@${this.#connections}`;
      this.#parts.history.record({ ev: 'awareness.view', doc, viewer, states });
    }
  }

  /** The name of the document's subscriber that goes out under this peer id. */
  subscriberAs(doc: string, peer: string): string | null {
    const open = this.#handles.get(doc);
    return open?.handle.peer === peer ? open.subscriber : null;
  }

  /** Goes for good. */
  close(): void {
    const { history } = this.#parts;
    for (const [doc, { subscriber, awareness }] of this.#handles) {
      history.record({ ev: 'unsubscribe', subscriber, doc });
      if (awareness === 0) continue;
      const gone = { doc, peer: subscriber, clock: awareness + 1, state: null };
      history.record({ ev: 'awareness.set', ...gone });
    }
    this.#client.close().catch(() => {});
  }

  #sockets(): WebSocketConstructor {
    const connect = (url: string): WebSocketLike => {
      const socket = this.#parts.dial(url);
      const send = socket.send.bind(socket);
      socket.send = (text) => {
        if (text.startsWith('{"type":"op"')) this.#noteSent(text);
        send(text);
      };
      return socket;
    };
    return function SimWebSocket(url: string) {
      return connect(url);
    } as unknown as WebSocketConstructor;
  }

  #noteSent(text: string): void {
    const { doc, peer, counter, payload } = JSON.parse(text);
    const opId = `${peer}:${counter}`;
    this.#sentAs.set(payload[this.name], opId);
    if (this.#invoked.has(opId)) return;
    this.#invoked.add(opId);
    this.#parts.history.record({ ev: 'op.invoke', doc, opId });
  }
}
