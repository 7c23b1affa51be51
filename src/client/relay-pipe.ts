import { BackplaneError } from '../foundation/errors.ts';
import { relayLimits, relayTimes } from '../foundation/relay-protocol.ts';
import type { Clock, Timer } from '../ports/clock.ts';

export interface PipeParts {
  readonly clock: Clock;
  /** What is done when too much waits: refuse the new frame, or drop the oldest that waits. */
  readonly overflow: 'refuse' | 'drop-oldest';
  readonly framesWaitingMax: number;
  /** False when there is no connection: the frame stays. */
  data(id: number, payload: Uint8Array): boolean;
  ack(ack: { readonly received: number; readonly taken: number; readonly again: boolean }): void;
  /** Nothing was acknowledged for a while: ask the other side how far it is. */
  probe(): void;
  /** One frame of the other side; the next one comes when it resolves. */
  handle(payload: Uint8Array): unknown;
  dropped(): void;
}

interface Frame {
  readonly payload: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: BackplaneError) => void;
}

/** So many frames, or so long after one, and the other side is told. */
const ackFrames = 8;
const ackMs = 5;
/** Frames of a sender that ignores the window are not taken beyond this. */
const inboxBytesMax = 2 * (relayLimits.windowBytesMax + relayLimits.payloadBytesMax);

/**
 * One end of a conversation: frames out with the ids 1, 2, 3 …, kept until the other end has handled
 * them and sent again until it has received them; frames in, in order, each once. It knows nothing of
 * connections: what gets lost between two of them, it repairs.
 */
export class RelayPipe {
  readonly #parts: PipeParts;
  /** Sent and not handled by the other end; the first has the id `#taken + 1`. */
  #flying: Frame[] = [];
  #waiting: Frame[] = [];
  #flyingBytes = 0;
  #waitingBytes = 0;
  /** Of our frames: handled by the other end, received by it. */
  #taken = 0;
  #theyReceived = 0;
  #window: number = relayLimits.windowBytesMin;
  #isOpen = false;
  #retryMs: number = relayTimes.retryMs;
  #retry: Timer | null = null;
  /** Of their frames. */
  #received = 0;
  #handled = 0;
  #ackedHandled = 0;
  #gapToldAt = -1;
  #inbox: { readonly payload: Uint8Array; readonly life: number }[] = [];
  #inboxBytes = 0;
  #isHandling = false;
  #ackTimer: Timer | null = null;
  /** Grows with each conversation: a frame handled late is not counted in the next one. */
  #life = 0;
  #ended: BackplaneError | null = null;

  constructor(parts: PipeParts) {
    this.#parts = parts;
  }

  /** How far we are with the frames of the other end. */
  get progress(): { readonly received: number; readonly taken: number } {
    return { received: this.#received, taken: this.#handled };
  }

  /** Frames not handled by the other end. */
  get pending(): number {
    return this.#flying.length + this.#waiting.length;
  }

  /** Resolves when the other side has handled the frame; an error says whether it may have. */
  send(payload: Uint8Array): Promise<void> {
    if (this.#ended) return Promise.reject(this.#ended);
    const { length } = payload;
    if (length > relayLimits.payloadBytesMax) {
      return Promise.reject(
        new BackplaneError('PAYLOAD_TOO_LARGE', `the frame has ${length} bytes`),
      );
    }
    if (this.#isQueueFull(length)) {
      const count = this.#waiting.length;
      if (this.#parts.overflow === 'refuse') {
        return Promise.reject(new BackplaneError('OVERLOADED', `${count} frames wait to be sent`));
      }
      while (this.#waiting.length > 0 && this.#isQueueFull(length)) this.#dropOldest();
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // The application may change its buffer; what is sent again must be what was sent first.
    this.#waiting.push({ payload: payload.slice(), resolve, reject });
    this.#waitingBytes += length;
    this.pump();
    return promise;
  }

  /** The other end told how far it is: what it has not received is sent again. */
  open(received: number, taken: number, window: number): void {
    this.#isOpen = true;
    this.#window = Math.max(relayLimits.windowBytesMin, window);
    this.acked(received, taken, true);
  }

  /** The way to the other end is lost, or not certain any more. */
  shut(): void {
    this.#isOpen = false;
    this.#stopRetrying();
  }

  pump(): void {
    while (this.#isOpen && this.#waiting.length > 0) {
      const [frame] = this.#waiting as [Frame];
      const { length } = frame.payload;
      if (this.#flying.length >= relayLimits.framesFlyingMax) break;
      if (this.#flying.length > 0 && this.#flyingBytes + length > this.#window) break;
      const id = this.#taken + this.#flying.length + 1;
      if (!this.#parts.data(id, frame.payload)) break;
      this.#waiting.shift();
      this.#waitingBytes -= length;
      this.#flying.push(frame);
      this.#flyingBytes += length;
    }
    if (this.#isOpen && this.#flying.length > 0) this.#retryLater();
  }

  acked(received: number, taken: number, again: boolean): void {
    this.#arrived(received);
    const sent = this.#taken + this.#flying.length;
    while (this.#taken < Math.min(taken, sent)) {
      const frame = this.#flying.shift() as Frame;
      this.#flyingBytes -= frame.payload.length;
      this.#taken += 1;
      this.#goesOn();
      frame.resolve();
    }
    if (again) this.#sendAgain();
    this.pump();
  }

  /** Tells the other end how far we are, and that it shall send what we have not received. */
  answer(): void {
    this.#ackNow(true);
  }

  data(id: number, payload: Uint8Array): void {
    if (this.#ended) return;
    if (id <= this.#received) return this.#ackSoon();
    if (id > this.#received + 1) {
      // One answer for each gap: every frame behind it shows the same one.
      if (this.#gapToldAt !== this.#received) this.#ackNow(true);
      this.#gapToldAt = this.#received;
      return;
    }
    if (this.#inboxBytes + payload.length > inboxBytesMax) return;
    this.#received = id;
    this.#inbox.push({ payload, life: this.#life });
    this.#inboxBytes += payload.length;
    if (!this.#isHandling) this.#handleNext();
    else this.#ackSoon();
  }

  /**
   * This conversation is over. What was sent may have been handled, so its senders are told; what
   * was not sent waits for the next conversation.
   */
  restart(why: string): void {
    this.shut();
    this.#life += 1;
    const lost = this.#flying;
    this.#flying = [];
    this.#flyingBytes = 0;
    this.#taken = 0;
    this.#theyReceived = 0;
    this.#received = 0;
    this.#handled = 0;
    this.#ackedHandled = 0;
    this.#gapToldAt = -1;
    // Frames that were received and not handled are handled: nobody will send them again.
    this.#ackTimer?.cancel();
    this.#ackTimer = null;
    for (const { reject } of lost) reject(new BackplaneError('RELAY_LOST', why));
  }

  /** What waits is refused, certainly unsent. */
  refuseWaiting(error: BackplaneError): void {
    const refused = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const { reject } of refused) reject(error);
  }

  end(error: BackplaneError): void {
    if (this.#ended) return;
    this.restart(error.message);
    this.#ended = error;
    this.refuseWaiting(error);
  }

  #isQueueFull(bytes: number): boolean {
    const isFull = this.#waiting.length >= this.#parts.framesWaitingMax;
    return isFull || this.#waitingBytes + bytes > relayLimits.waitingBytesMax;
  }

  #dropOldest(): void {
    const frame = this.#waiting.shift() as Frame;
    this.#waitingBytes -= frame.payload.length;
    this.#parts.dropped();
    frame.reject(new BackplaneError('RELAY_DROPPED', 'the queue was full, and newer frames came'));
  }

  #arrived(received: number): void {
    const sent = this.#taken + this.#flying.length;
    const known = Math.min(received, sent);
    if (known > this.#theyReceived) this.#goesOn();
    this.#theyReceived = Math.max(known, this.#theyReceived);
  }

  #goesOn(): void {
    this.#retryMs = relayTimes.retryMs;
    this.#stopRetrying();
  }

  #sendAgain(): void {
    if (!this.#isOpen) return;
    const first = Math.max(this.#theyReceived, this.#taken);
    for (const [index, { payload }] of this.#flying.entries()) {
      const id = this.#taken + index + 1;
      if (id > first && !this.#parts.data(id, payload)) return;
    }
  }

  #retryLater(): void {
    if (this.#retry) return;
    this.#retry = this.#parts.clock.after(this.#retryMs, () => {
      this.#retry = null;
      this.#retryMs = Math.min(2 * this.#retryMs, relayTimes.retryMsMax);
      if (!this.#isOpen || this.#flying.length === 0) return;
      this.#parts.probe();
      this.#retryLater();
    });
  }

  #stopRetrying(): void {
    this.#retry?.cancel();
    this.#retry = null;
  }

  #handleNext(): void {
    for (let next = this.#inbox.shift(); next; next = this.#inbox.shift()) {
      const { payload, life } = next;
      this.#inboxBytes -= payload.length;
      const outcome = this.#run(payload);
      if (outcome instanceof Promise) {
        this.#isHandling = true;
        void outcome.then(() => {
          this.#isHandling = false;
          this.#wasHandled(life);
          this.#handleNext();
        });
        return this.#ackSoon();
      }
      this.#wasHandled(life);
    }
  }

  /** An application that fails has had the frame all the same. */
  #run(payload: Uint8Array): Promise<void> | undefined {
    const report = (error: unknown) =>
      queueMicrotask(() => {
        throw error;
      });
    try {
      const outcome = this.#parts.handle(payload);
      if (outcome instanceof Promise) return outcome.then(() => {}, report);
    } catch (error) {
      report(error);
    }
    return undefined;
  }

  #wasHandled(life: number): void {
    if (life !== this.#life) return;
    this.#handled += 1;
    if (this.#handled - this.#ackedHandled >= ackFrames) this.#ackNow(false);
    else this.#ackSoon();
  }

  #ackSoon(): void {
    if (this.#ended) return;
    this.#ackTimer ??= this.#parts.clock.after(ackMs, () => this.#ackNow(false));
  }

  #ackNow(again: boolean): void {
    this.#ackTimer?.cancel();
    this.#ackTimer = null;
    if (this.#ended) return;
    this.#ackedHandled = this.#handled;
    this.#parts.ack({ received: this.#received, taken: this.#handled, again });
  }
}
