import { BackplaneError } from '../foundation/errors.ts';
import { limits } from '../foundation/limits.ts';
import {
  isWorthResending,
  type PeerAwareness,
  type PeerOp,
  type ServerMessage,
} from '../foundation/peer-protocol.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { backoffMs } from './backoff.ts';
import { callOwner } from './call-owner.ts';
import { clientError } from './client-error.ts';
import type {
  DocumentEvents,
  DocumentHandle,
  DocumentOp,
  DocumentSnapshot,
  OpenOptions,
  RpcOptions,
  SendOptions,
} from './document-handle.ts';
import type { Line } from './line.ts';
import { Listeners } from './listeners.ts';
import { OpStream } from './op-stream.ts';
import { type OpAck, OutgoingOps } from './outgoing-ops.ts';
import { fromWire, toWire } from './wire-payload.ts';

export interface OpenDocumentParts {
  readonly doc: string;
  readonly options: OpenOptions;
  readonly line: Line;
  readonly clock: Clock;
  readonly random: Random;
  closed(document: OpenDocument): void;
}

const rejoinBackoff = { firstMs: 50, mostMs: 5_000 };

/** The handle behind `open`: follows while somebody listens, and remembers what it has seen. */
export class OpenDocument implements DocumentHandle {
  readonly doc: string;
  readonly #parts: OpenDocumentParts;
  readonly #listeners = new Listeners<DocumentEvents>();
  readonly #streams = new Set<OpStream>();
  readonly #outgoing: OutgoingOps;
  readonly #awareness = new Map<string, unknown>();
  readonly #awaitingLine = new Set<() => void>();
  #ownAwareness: { readonly state: unknown } | null = null;
  /** `apart`: the node does not send us ops. `asked`: a join is under way. */
  #phase: 'apart' | 'asked' | 'joined' = 'apart';
  #seq: number | null;
  #snapshot: DocumentSnapshot | null = null;
  #wantsState: boolean;
  /** Ops passed by while nobody took them; they are asked for again. */
  #hasSkipped = false;
  #failures = 0;
  #retry: Timer | null = null;
  #ended: BackplaneError | null = null;

  constructor(parts: OpenDocumentParts) {
    const { doc, options, line, clock, random } = parts;
    this.#parts = parts;
    this.doc = doc;
    this.#wantsState = options.state ?? false;
    this.#seq = this.#wantsState ? null : (options.since ?? null);
    this.#outgoing = new OutgoingOps({
      doc,
      line,
      clock,
      random,
      peerChanged: (before) => this.#moveAwareness(before),
      lost: (error) => this.lose(error),
    });
    this.#ask();
  }

  get peer(): string {
    return this.#outgoing.peer;
  }

  get seq(): number | null {
    return this.#seq;
  }

  get snapshot(): DocumentSnapshot | null {
    return this.#snapshot;
  }

  get awareness(): ReadonlyMap<string, unknown> {
    return this.#awareness;
  }

  get unacknowledged(): number {
    return this.#outgoing.waiting;
  }

  send(payload: unknown, options: SendOptions = {}): Promise<OpAck> {
    return this.#outgoing.send(payload, options.named);
  }

  async rpc(method: string, payload: unknown = null, options: RpcOptions = {}): Promise<unknown> {
    const untilLineUp = (deadlineMs: number) => this.#untilLineUp(deadlineMs);
    return callOwner({ ...this.#parts, untilLineUp }, method, payload, options);
  }

  setAwareness(state: unknown): void {
    if (this.#ended) throw this.#ended;
    const { bytes } = toWire(state);
    if (bytes > limits.awarenessBytesMax) {
      throw new BackplaneError('PAYLOAD_TOO_LARGE', `the awareness has ${bytes} bytes`);
    }
    this.#ownAwareness = state === null ? null : { state: structuredClone(state) };
    this.#postAwareness(this.peer, state);
  }

  on<Name extends keyof DocumentEvents>(
    name: Name,
    listen: (event: DocumentEvents[Name]) => void,
  ): () => void {
    const unlisten = this.#listeners.on(name, listen);
    this.#resume();
    return unlisten;
  }

  [Symbol.asyncIterator](): OpStream {
    const stream = new OpStream({
      drained: () => this.#resume(),
      left: (leaving) => {
        this.#streams.delete(leaving);
        this.#resume();
      },
    });
    if (this.#ended) stream.end(this.#ended.code === 'CLOSED' ? null : this.#ended);
    else this.#streams.add(stream);
    this.#resume();
    return stream;
  }

  close(): void {
    if (this.#ended) return;
    this.#postAwareness(this.peer, null);
    this.#parts.line.post({ type: 'leave', doc: this.doc });
    this.#end(
      new BackplaneError('CLOSED', `"${this.doc}" was closed`, { remedy: 'open it again' }),
      null,
    );
    this.#parts.closed(this);
  }

  /** Nothing will make this handle work again; the document may be opened anew. */
  lose(error: BackplaneError): void {
    if (this.#ended) return;
    if (this.#ownAwareness) this.#postAwareness(this.peer, null);
    this.#leave();
    this.#end(error, error);
    this.#parts.closed(this);
    this.#listeners.emit('lost', error);
  }

  lineUp(): void {
    if (this.#ended) return;
    this.#phase = 'apart';
    this.#ask();
    if (this.#ownAwareness) this.#postAwareness(this.peer, this.#ownAwareness.state);
    this.#outgoing.pump();
    this.#wakeAwaitingLine();
  }

  lineDown(): void {
    this.#retry?.cancel();
    this.#retry = null;
    this.#phase = 'apart';
    this.#outgoing.lineDown();
    // Who is there is not known any more; everybody still there is told again after joining.
    for (const peer of [...this.#awareness.keys()]) this.#setState(peer, null);
  }

  pump(): void {
    this.#outgoing.pump();
  }

  receive(message: ServerMessage): void {
    if (this.#ended) return;
    if (message.type === 'joined') this.#joined(message);
    else if (message.type === 'ops') this.#receiveOps(message.ops);
    else if (message.type === 'awareness') this.#receiveAwareness(message.changes);
    else if (message.type === 'failed') this.#failed(message);
  }

  async #untilLineUp(deadlineMs: number): Promise<void> {
    const { line, clock } = this.#parts;
    if (!this.#ended && !line.isUp) {
      await new Promise<void>((resolve) => {
        const go = () => {
          timer.cancel();
          this.#awaitingLine.delete(go);
          resolve();
        };
        const timer = clock.after(Math.max(0, deadlineMs - clock.monotonicMs()), go);
        this.#awaitingLine.add(go);
      });
    }
    if (this.#ended) throw this.#ended;
    if (!line.isUp) throw new BackplaneError('BACKPLANE_UNREACHABLE', 'no node is connected');
  }

  #wakeAwaitingLine(): void {
    for (const go of [...this.#awaitingLine]) go();
  }

  #ask(): void {
    if (this.#phase !== 'apart' || this.#ended || this.#retry || !this.#parts.line.isUp) return;
    this.#phase = 'asked';
    this.#hasSkipped = false;
    const { doc } = this;
    if (this.#wantsState) this.#parts.line.post({ type: 'join', doc, state: true });
    else this.#parts.line.post({ type: 'join', doc, since: this.#seq });
  }

  #leave(): void {
    if (this.#phase === 'apart') return;
    this.#phase = 'apart';
    this.#parts.line.post({ type: 'leave', doc: this.doc });
  }

  /** Somebody listens again, or has room again. */
  #resume(): void {
    if (this.#ended || this.#isFull()) return;
    if (this.#hasSkipped && this.#hasReaders()) this.#leave();
    if (this.#isOfInterest()) this.#ask();
  }

  #joined(message: ServerMessage & { type: 'joined' }): void {
    if (this.#phase !== 'asked') return;
    this.#phase = 'joined';
    this.#failures = 0;
    this.#seq ??= message.seq;
    this.#listeners.emit('joined', { seq: this.#seq });
    if (!this.#wantsState || this.#ended) return;
    this.#wantsState = false;
    this.#snapshot = { seq: message.seq, state: message.state ?? null };
    this.#listeners.emit('state', this.#snapshot);
  }

  #receiveOps(ops: readonly PeerOp[]): void {
    if (this.#phase !== 'joined') return;
    if (!this.#hasReaders()) {
      this.#hasSkipped = true;
      if (!this.#isOfInterest()) this.#leave();
      return;
    }
    if (this.#hasSkipped) return;
    for (const op of ops) {
      const last = this.#seq ?? 0;
      if (op.seq <= last) continue;
      if (op.seq > last + 1) return this.#rejoinLater();
      this.#seq = op.seq;
      this.#deliver(op);
      // A listener may have closed the document.
      if (this.#ended) return;
    }
    if (this.#isFull()) this.#leave();
  }

  #deliver(op: PeerOp): void {
    const { seq, epoch, opId, at } = op;
    const peer = opId.slice(0, opId.lastIndexOf(':'));
    const payload = fromWire(op);
    const delivered: DocumentOp = { doc: this.doc, seq, epoch, opId, peer, at, payload };
    for (const stream of this.#streams) stream.push(delivered);
    this.#listeners.emit('op', delivered);
  }

  #receiveAwareness(changes: readonly PeerAwareness[]): void {
    for (const { peer, state } of changes) this.#setState(peer, state ?? null);
  }

  #setState(peer: string, state: unknown): void {
    if (peer === this.peer) return;
    if (state === null) {
      if (!this.#awareness.delete(peer)) return;
    } else this.#awareness.set(peer, state);
    this.#listeners.emit('awareness', { peer, state });
  }

  #failed(message: ServerMessage & { type: 'failed' }): void {
    if (isWorthResending(message)) this.#rejoinLater();
    else this.lose(clientError(message));
  }

  #rejoinLater(): void {
    const { clock, random } = this.#parts;
    this.#leave();
    this.#phase = 'apart';
    const pauseMs = backoffMs(rejoinBackoff, this.#failures, random);
    this.#failures += 1;
    this.#retry?.cancel();
    this.#retry = clock.after(pauseMs, () => {
      this.#retry = null;
      this.#ask();
    });
  }

  #hasReaders(): boolean {
    return this.#streams.size > 0 || this.#listeners.count('op') > 0;
  }

  #isOfInterest(): boolean {
    return this.#hasReaders() || this.#listeners.count('awareness') > 0;
  }

  #isFull(): boolean {
    for (const stream of this.#streams) if (stream.isFull) return true;
    return false;
  }

  #moveAwareness(before: string): void {
    if (!this.#ownAwareness) return;
    this.#postAwareness(before, null);
    this.#postAwareness(this.peer, this.#ownAwareness.state);
  }

  #postAwareness(peer: string, state: unknown): void {
    this.#parts.line.post({ type: 'awareness', doc: this.doc, peer, state });
  }

  #end(error: BackplaneError, streamError: BackplaneError | null): void {
    this.#ended = error;
    this.#retry?.cancel();
    this.#outgoing.end(error);
    for (const stream of this.#streams) stream.end(streamError);
    this.#streams.clear();
    this.#wakeAwaitingLine();
  }
}
