import { BackplaneError } from '../../foundation/errors.ts';
import { limits } from '../../foundation/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import { inboxChannel } from '../channels.ts';
import type { Counters } from '../counters.ts';
import { noPayload, type RequestFrame } from '../frames.ts';
import type { Outbox } from '../outbox.ts';
import { Lateness } from './lateness.ts';
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

const replyBytesMax = limits.frameBytesMax - 65_536;

/**
 * Runs what arrives in the inbox: each request at most once, none past its deadline, never more
 * than a limit at a time; and every one it runs is answered.
 */
export class Responder {
  readonly #parts: ResponderParts;
  /** Requests seen, until their deadline: a frame delivered twice is run once. */
  readonly #seen = new Map<string, number>();
  readonly #lateness = new Lateness();
  #running = 0;
  readonly #idle = new Set<() => void>();

  constructor(parts: ResponderParts) {
    this.#parts = parts;
  }

  receive(frame: RequestFrame): void {
    const { clock, counters } = this.#parts;
    const waitedMs = this.#lateness.waitedMs(frame.from, frame.sentAt, clock.wallMs());
    const remainingMs = frame.remainingMs - waitedMs;
    if (remainingMs <= 0) return counters.add('requests_late_total');
    const key = `${frame.from} ${frame.id}`;
    if (this.#isRepeated(key, remainingMs)) return counters.add('requests_repeated_total');
    if (this.#running >= limits.requestsRunningMax) {
      const error = new BackplaneError('OVERLOADED', `${this.#running} requests run on this node`);
      return this.#reply(frame, null, error);
    }
    counters.add('requests_handled_total');
    void this.#run(frame, Math.min(remainingMs, 3_600_000));
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
      this.#reply(frame, answer, null);
    } catch (error) {
      this.#reply(frame, null, error);
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

  #reply(frame: RequestFrame, answer: Answer | null, error: unknown): void {
    const sent = this.#parts.outbox.send(inboxChannel(frame.from), {
      kind: 'reply',
      id: frame.id,
      nodeId: answer?.nodeId ?? this.#parts.nodeId,
      hops: answer?.hops ?? frame.hops,
      error: answer ? null : toWireError(error),
      payload: answer?.payload ?? noPayload,
    });
    // A reply that cannot be sent is the caller's deadline, which it knows how to judge.
    sent.catch(() => {});
  }

  #isRepeated(key: string, remainingMs: number): boolean {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const [old, untilMs] of this.#seen) {
      if (untilMs > nowMs && this.#seen.size <= limits.requestsPendingMax) break;
      this.#seen.delete(old);
    }
    if (this.#seen.has(key)) return true;
    this.#seen.set(key, nowMs + remainingMs);
    return false;
  }
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
