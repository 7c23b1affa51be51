import { BackplaneError } from '../../foundation/errors.ts';
import { limits } from '../../foundation/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import { inboxChannel } from '../channels.ts';
import type { Counters } from '../counters.ts';
import { noPayload, type ReplyFrame, type RequestFrame } from '../frames.ts';
import type { Outbox } from '../outbox.ts';
import { Lateness } from './lateness.ts';
import { SeenRequests } from './seen-requests.ts';
import { toWireError } from './wire-errors.ts';

/** A request that passed the door: what is left of its deadline is by our own clock. */
export interface IncomingRequest {
  readonly plane: RequestFrame['plane'];
  readonly method: string;
  readonly doc: string | null;
  readonly direct: boolean;
  readonly hops: number;
  readonly payload: Uint8Array;
  readonly remainingMs: number;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly nodeId: string;
  readonly hops: number;
  readonly payload: Uint8Array;
}

export interface ResponderParts {
  readonly nodeId: string;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly counters: Counters;
  handle(request: IncomingRequest): Promise<Answer>;
}

const runMsMax = 3_600_000;
/** A second copy may come this long after its caller's deadline, and not look late to us. */
const copyLateMsMax = 5_000;
const replyBytesMax = limits.frameBytesMax - 65_536;

/**
 * Runs what arrives in the inbox: each call at most once, none past its deadline, never more than a
 * limit at a time; and every one it runs is answered, again when it is asked for again.
 *
 * An op is applied once whatever happens, so it is run though it may be late, or came before: then
 * its document knows the answer.
 */
export class Responder {
  readonly #parts: ResponderParts;
  readonly #seen = new SeenRequests();
  readonly #lateness = new Lateness();
  readonly #latenessByWall = new Lateness();
  #running = 0;
  readonly #idle = new Set<() => void>();

  constructor(parts: ResponderParts) {
    this.#parts = parts;
  }

  receive(frame: RequestFrame): void {
    const { clock, counters } = this.#parts;
    const waitedMs = this.#waitedMs(frame);
    const remainingMs = frame.remainingMs - (frame.plane === 'op' ? 0 : waitedMs);
    // Its caller need not have given up: when a clock was set, it asks again until we know that.
    if (remainingMs <= 0) return counters.add('requests_late_total');
    const key = keyOf(frame);
    const nowMs = clock.monotonicMs();
    const known = this.#seen.find(key, frame.again ?? false, nowMs);
    if (known !== 'new') return this.#repeat(frame, known);
    const atMostMs = Math.min(remainingMs, runMsMax);
    // By the caller's word alone: how late a frame is we only guess, of the next copy otherwise.
    const copiesEndMs = nowMs + Math.min(frame.remainingMs, runMsMax) + copyLateMsMax;
    this.#seen.began(key, nowMs, copiesEndMs);
    if (this.#running >= limits.requestsRunningMax) {
      const error = new BackplaneError('OVERLOADED', `${this.#running} requests run on this node`);
      // It stays refused: the caller may ask another before a second copy of this one is here.
      return this.#ended(frame, this.#replyTo(frame, null, error));
    }
    counters.add('requests_handled_total');
    void this.#run(frame, atMostMs);
  }

  /**
   * By two clocks, because one of them can be set, and the other stands still while a machine is
   * suspended.
   */
  #waitedMs({ from, sentAt, sentMs }: RequestFrame): number {
    const { clock } = this.#parts;
    const byWallMs = this.#latenessByWall.waitedMs(from, sentAt, clock.wallMs());
    if (sentMs === undefined) return byWallMs;
    return Math.max(byWallMs, this.#lateness.waitedMs(from, sentMs, clock.monotonicMs()));
  }

  /** Resolves when no request runs any more. */
  idle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.add(resolve));
  }

  async #run(frame: RequestFrame, remainingMs: number): Promise<void> {
    this.#running += 1;
    const abort = new AbortController();
    // A handler that never ends is nobody's business after the deadline; its place is free again.
    const leave = once(() => this.#left());
    const timer = this.#parts.clock.after(remainingMs, () => {
      abort.abort();
      leave();
    });
    try {
      const { plane, method, doc, direct, hops, payload } = frame;
      const answer = await this.#parts.handle({
        plane,
        method,
        doc,
        direct,
        hops,
        // The bus lends the bytes for the call only, and this goes on for longer.
        payload: Uint8Array.prototype.slice.call(payload),
        remainingMs,
        signal: abort.signal,
      });
      if (answer.payload.length > replyBytesMax) throw tooLarge(answer.payload.length);
      this.#ended(frame, this.#replyTo(frame, answer, null));
    } catch (error) {
      this.#ended(frame, this.#replyTo(frame, null, error));
    } finally {
      timer.cancel();
      leave();
    }
  }

  #left(): void {
    this.#running -= 1;
    if (this.#running > 0) return;
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
  }

  #ended(frame: RequestFrame, reply: ReplyFrame): void {
    if (frame.plane === 'op') this.#seen.forget(keyOf(frame));
    else this.#seen.answered(keyOf(frame), reply);
    this.#send(frame, reply);
  }

  /** One that runs will be answered. */
  #repeat(frame: RequestFrame, known: 'running' | 'lost' | ReplyFrame): void {
    this.#parts.counters.add('requests_repeated_total');
    if (known === 'running') return;
    this.#send(frame, known === 'lost' ? this.#replyTo(frame, null, answerLost()) : known);
  }

  #replyTo(frame: RequestFrame, answer: Answer | null, error: unknown): ReplyFrame {
    return {
      kind: 'reply',
      id: frame.id,
      nodeId: answer?.nodeId ?? this.#parts.nodeId,
      hops: answer?.hops ?? frame.hops,
      error: answer ? null : toWireError(error),
      payload: answer?.payload ?? noPayload,
    };
  }

  #send({ from }: RequestFrame, reply: ReplyFrame): void {
    // Whoever does not get it asks again.
    this.#parts.outbox.send(inboxChannel(from), reply).catch(() => {});
  }
}

function keyOf({ from, id }: RequestFrame): string {
  return `${from} ${id}`;
}

function once(run: () => void): () => void {
  let ran = false;
  return () => {
    if (ran) return;
    ran = true;
    run();
  };
}

function tooLarge(bytes: number): BackplaneError {
  const message = `the answer has ${bytes} bytes; at most ${replyBytesMax} can be sent`;
  return new BackplaneError('PAYLOAD_TOO_LARGE', message, { certainty: 'indefinite' });
}

function answerLost(): BackplaneError {
  const message = 'the request may have been run; this node does not know its answer any more';
  return new BackplaneError('BACKPLANE_LOST', message, { certainty: 'indefinite' });
}
