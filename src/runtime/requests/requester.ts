import { formatDuration } from '../../foundation/duration.ts';
import { asBackplaneError, BackplaneError, inDoubt } from '../../foundation/errors.ts';
import { limits, protocol } from '../../foundation/limits.ts';
import type { Bus } from '../../ports/bus.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import { inboxChannel } from '../channels.ts';
import type { Counters } from '../counters.ts';
import type { ReplyFrame, RequestFrame } from '../frames.ts';
import type { Outbox } from '../outbox.ts';
import type { SessionWatch } from '../sessions/session-watch.ts';
import { fromWireError } from './wire-errors.ts';

export interface RequesterParts {
  readonly bus: Bus;
  readonly outbox: Outbox;
  readonly watch: SessionWatch;
  readonly clock: Clock;
  readonly counters: Counters;
  /** The inbox replies come to; it must be subscribed before the first request. */
  inbox(): string;
}

export interface OutgoingRequest {
  readonly session: string;
  readonly plane: RequestFrame['plane'];
  readonly method: string;
  readonly doc: string | null;
  readonly direct: boolean;
  readonly hops: number;
  readonly payload: Uint8Array;
  readonly remainingMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Reply {
  readonly nodeId: string;
  readonly hops: number;
  readonly payload: Uint8Array;
}

/** The requests that wait for one session, and whether it shows signs of life. */
interface Watched {
  count: number;
  /** Ticks in a row without any answer. */
  silentTicks: number;
  /** Something was answered since the last tick. */
  heard: boolean;
  timer: Timer | null;
}

const closeTicks = 16;

interface Pending {
  readonly session: string;
  settle(outcome: Reply | BackplaneError): void;
}

/**
 * Sends requests to sessions and waits. Each ends in exactly one reply or one error, by its
 * deadline: NO_RESPONDER at once when nobody listens, RESPONDER_GONE at once when the session is
 * found dead, and then it may have happened.
 */
export class Requester {
  readonly #parts: RequesterParts;
  readonly #pending = new Map<string, Pending>();
  /** How many requests wait for a session, and the poll of its inbox while any does. */
  readonly #watched = new Map<string, Watched>();
  #next = 1;

  constructor(parts: RequesterParts) {
    this.#parts = parts;
    parts.watch.onDeath((session) => this.#failAll(session));
  }

  get pending(): number {
    return this.#pending.size;
  }

  async send(request: OutgoingRequest): Promise<Reply> {
    const { session, payload, signal, remainingMs, ...fields } = request;
    if (this.#pending.size >= limits.requestsPendingMax) {
      throw new BackplaneError('OVERLOADED', `${this.#pending.size} requests wait for a reply`);
    }
    if (payload.length > limits.payloadBytesMax) {
      throw new BackplaneError('PAYLOAD_TOO_LARGE', `the payload has ${payload.length} bytes`);
    }
    const from = this.#parts.inbox();
    const id = `${this.#next++}`;
    const outcome = Promise.withResolvers<Reply>();
    // The publish below may fail first; then nobody waits for this one any more.
    outcome.promise.catch(() => {});
    const finish = this.#register(id, session, remainingMs, outcome, signal);
    this.#parts.counters.add('requests_sent_total');
    const sent = this.#parts.outbox.send(inboxChannel(session), {
      kind: 'request',
      id,
      from,
      remainingMs,
      sentAt: this.#parts.clock.wallMs(),
      payload,
      ...fields,
    });
    sent.then(
      (receivers) => {
        if (receivers > 0) return;
        finish(new BackplaneError('NO_RESPONDER', `nobody listens for session ${session}`));
      },
      (error) => finish(asBackplaneError(error)),
    );
    return outcome.promise;
  }

  receive(frame: ReplyFrame): void {
    const pending = this.#pending.get(frame.id);
    if (!pending) {
      this.#parts.counters.add('replies_unexpected_total');
      return;
    }
    const watched = this.#watched.get(pending.session);
    if (watched) watched.heard = true;
    const { nodeId, hops, error } = frame;
    if (error) return pending.settle(fromWireError(error, nodeId));
    // The bus lends the bytes for the call only, and whoever waits reads them later.
    const payload = Uint8Array.prototype.slice.call(frame.payload);
    pending.settle({ nodeId, hops, payload });
  }

  /** Our own inbox is gone, so no reply will ever arrive; what was asked may be done all the same. */
  failEverything(error: BackplaneError): void {
    for (const pending of [...this.#pending.values()]) pending.settle(inDoubt(error));
  }

  #register(
    id: string,
    session: string,
    remainingMs: number,
    outcome: PromiseWithResolvers<Reply>,
    signal: AbortSignal | undefined,
  ): (outcome: Reply | BackplaneError) => void {
    const settle = (result: Reply | BackplaneError) => {
      if (!this.#pending.delete(id)) return;
      timer.cancel();
      signal?.removeEventListener('abort', aborted);
      this.#unwatch(session);
      if (result instanceof BackplaneError) outcome.reject(result);
      else outcome.resolve(result);
    };
    const aborted = () => settle(new BackplaneError('INTERRUPTED', 'the request was given up'));
    const timer = this.#parts.clock.after(remainingMs, () => {
      settle(
        new BackplaneError(
          'DEADLINE_EXCEEDED',
          `session ${session} did not answer within ${formatDuration(remainingMs)}`,
          { facts: { session } },
        ),
      );
    });
    this.#pending.set(id, { session, settle });
    this.#watch(session);
    signal?.addEventListener('abort', aborted, { once: true });
    if (signal?.aborted) aborted();
    return settle;
  }

  #watch(session: string): void {
    const watched = this.#watched.get(session);
    if (watched) {
      watched.count += 1;
      return;
    }
    const started: Watched = { count: 1, silentTicks: 0, heard: false, timer: null };
    this.#watched.set(session, started);
    this.#armTick(session, started);
  }

  #unwatch(session: string): void {
    const watched = this.#watched.get(session);
    if (!watched) return;
    watched.count -= 1;
    if (watched.count > 0) return;
    watched.timer?.cancel();
    this.#watched.delete(session);
  }

  /** While replies are awaited: does their session still listen? A killed one is noticed in a tick. */
  #armTick(session: string, watched: Watched): void {
    // Close together at first, when a death would be news; later as often as a heartbeat would tell.
    const pauseMs = protocol.presencePollMs * (watched.silentTicks < closeTicks ? 1 : closeTicks);
    watched.timer = this.#parts.clock.after(pauseMs, () => void this.#tick(session, watched));
  }

  async #tick(session: string, watched: Watched): Promise<void> {
    // Whoever answers others lives: asking the broker would cost it a command for nothing.
    if (watched.heard) watched.silentTicks = 0;
    else {
      watched.silentTicks += 1;
      await this.#askWhetherListening(session);
    }
    watched.heard = false;
    if (this.#watched.get(session) === watched) this.#armTick(session, watched);
  }

  async #askWhetherListening(session: string): Promise<void> {
    try {
      const receivers = await this.#parts.bus.receivers(inboxChannel(session));
      if (receivers === 0) await this.#parts.watch.suspect(session);
    } catch {
      // The broker is away: the deadline of each request decides.
    }
  }

  #failAll(session: string): void {
    for (const pending of [...this.#pending.values()]) {
      if (pending.session !== session) continue;
      pending.settle(
        new BackplaneError('RESPONDER_GONE', `session ${session} died before it answered`, {
          facts: { session },
        }),
      );
    }
  }
}
