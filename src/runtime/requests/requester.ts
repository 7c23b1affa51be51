import { formatDuration } from '../../foundation/duration.ts';
import { asBackplaneError, BackplaneError, inDoubt } from '../../foundation/errors.ts';
import { limits, protocol } from '../../foundation/limits.ts';
import type { Bus } from '../../ports/bus.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import { inboxChannel } from '../channels.ts';
import type { Counters } from '../counters.ts';
import type { ReplyFrame, RequestFrame } from '../frames.ts';
import type { Outbox } from '../outbox.ts';
import { distrustMs, type SessionWatch } from '../sessions/session-watch.ts';
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
  readonly pending: Set<Pending>;
  /** Ticks in a row without any answer. */
  silentTicks: number;
  /** Something was answered since the last tick. */
  heard: boolean;
  timer: Timer | null;
}

const closeTicks = 16;
/** A request without an answer is sent again after the first time, and then after the second. */
const askAgainMs = [500, 1_000] as const;
/** In one tick and to one session: what is slow must not be buried under what asks where it stays. */
const askedAgainMax = 128;

interface Pending {
  readonly id: string;
  readonly session: string;
  readonly request: Omit<OutgoingRequest, 'session' | 'remainingMs' | 'signal'>;
  readonly from: string;
  readonly deadlineMs: number;
  timesAsked: number;
  /** How often of these it certainly reached nobody. */
  timesUnheard: number;
  againAtMs: number;
  settle(outcome: Reply | BackplaneError): void;
}

/**
 * Sends requests to sessions and waits. Each ends in exactly one reply or one error, by its
 * deadline: NO_RESPONDER at once when nobody listens, RESPONDER_GONE at once when the session is
 * found dead, and then it may have happened.
 *
 * A frame or its answer may be lost, on a connection that broke or by a clock that was set. So one
 * without an answer is sent again under the same id, at once when our own connections are restored
 * and now and then besides; the other side runs it once, and answers it again.
 */
export class Requester {
  readonly #parts: RequesterParts;
  readonly #pending = new Map<string, Pending>();
  readonly #watched = new Map<string, Watched>();
  #next = 1;

  constructor(parts: RequesterParts) {
    this.#parts = parts;
    parts.watch.onDeath((session) => this.#failAll(session));
  }

  get pending(): number {
    return this.#pending.size;
  }

  async send(outgoing: OutgoingRequest): Promise<Reply> {
    const { session, signal, remainingMs, ...request } = outgoing;
    if (this.#pending.size >= limits.requestsPendingMax) {
      throw new BackplaneError('OVERLOADED', `${this.#pending.size} requests wait for a reply`);
    }
    const { length } = request.payload;
    if (length > limits.payloadBytesMax) {
      throw new BackplaneError('PAYLOAD_TOO_LARGE', `the payload has ${length} bytes`);
    }
    const from = this.#parts.inbox();
    const outcome = Promise.withResolvers<Reply>();
    // The publish below may fail first; then nobody waits for this one any more.
    outcome.promise.catch(() => {});
    const pending = this.#register({ session, from, request, remainingMs }, outcome, signal);
    if (!this.#pending.has(pending.id)) return outcome.promise;
    this.#parts.counters.add('requests_sent_total');
    this.#ask(pending);
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

  /** Our connections were away: what was asked or answered meanwhile may not have arrived. */
  askAgain(): void {
    for (const watched of this.#watched.values()) {
      for (const pending of watched.pending) pending.againAtMs = Number.NEGATIVE_INFINITY;
      watched.silentTicks = 0;
      watched.timer?.cancel();
      this.#askDueAgain(watched);
    }
    for (const [session, watched] of this.#watched) this.#armTick(session, watched);
  }

  /** Our own inbox is gone, so no reply will ever arrive; what was asked may be done all the same. */
  failEverything(error: BackplaneError): void {
    for (const pending of [...this.#pending.values()]) pending.settle(inDoubt(error));
  }

  #ask(pending: Pending): void {
    const { id, from, session, request, deadlineMs, timesAsked } = pending;
    const { clock, outbox, watch } = this.#parts;
    const nowMs = clock.monotonicMs();
    const isFirst = timesAsked === 0;
    pending.timesAsked += 1;
    pending.againAtMs = nowMs + (isFirst ? askAgainMs[0] : askAgainMs[1]);
    const remainingMs = deadlineMs - nowMs;
    const sent = { sentAt: clock.wallMs(), sentMs: nowMs };
    const frame = { kind: 'request', id, from, remainingMs, ...sent } as const;
    outbox
      .send(inboxChannel(session), { ...frame, ...request, ...(!isFirst && { again: true }) })
      .then(
        (receivers) => {
          if (receivers > 0) return;
          pending.timesUnheard += 1;
          // It may have been sent again before this is known of the first time, and been heard then.
          if (pending.timesUnheard === pending.timesAsked) pending.settle(noResponder(session));
          else watch.suspect(session).catch(() => {});
        },
        (thrown) => this.#askFailed(pending, asBackplaneError(thrown)),
      );
  }

  /** What was asked once may be answered yet; whatever ails the connection, it will be restored. */
  #askFailed(pending: Pending, error: BackplaneError): void {
    const isOnly = pending.timesAsked === 1;
    const isOutage = error.code === 'BACKPLANE_UNREACHABLE' || error.code === 'BACKPLANE_LOST';
    if (isOutage) this.#parts.watch.distrustSilence(distrustMs);
    if (isOutage && !(isOnly && error.certainty === 'definite')) {
      pending.againAtMs = Number.NEGATIVE_INFINITY;
    } else if (isOnly) pending.settle(error);
  }

  #register(
    fields: Pick<Pending, 'session' | 'from' | 'request'> & { readonly remainingMs: number },
    outcome: PromiseWithResolvers<Reply>,
    signal: AbortSignal | undefined,
  ): Pending {
    const { remainingMs, ...rest } = fields;
    const { clock } = this.#parts;
    const id = `${this.#next++}`;
    const settle = (result: Reply | BackplaneError) => {
      if (!this.#pending.delete(id)) return;
      timer.cancel();
      signal?.removeEventListener('abort', aborted);
      this.#unwatch(pending);
      if (result instanceof BackplaneError) outcome.reject(result);
      else outcome.resolve(result);
    };
    const deadlineMs = clock.monotonicMs() + remainingMs;
    const counts = { timesAsked: 0, timesUnheard: 0, againAtMs: 0 };
    const pending: Pending = { ...rest, id, deadlineMs, ...counts, settle };
    const aborted = () => settle(new BackplaneError('INTERRUPTED', 'the request was given up'));
    const timer = clock.after(remainingMs, () => settle(late(fields.session, remainingMs)));
    this.#pending.set(id, pending);
    this.#watch(pending);
    signal?.addEventListener('abort', aborted, { once: true });
    if (signal?.aborted) aborted();
    return pending;
  }

  #watch(pending: Pending): void {
    const { session } = pending;
    const watched = this.#watched.get(session);
    if (watched) {
      watched.pending.add(pending);
      return;
    }
    const pendingOnes = new Set([pending]);
    const started: Watched = { pending: pendingOnes, silentTicks: 0, heard: false, timer: null };
    this.#watched.set(session, started);
    this.#armTick(session, started);
  }

  #unwatch(pending: Pending): void {
    const watched = this.#watched.get(pending.session);
    if (!watched) return;
    watched.pending.delete(pending);
    if (watched.pending.size > 0) return;
    watched.timer?.cancel();
    this.#watched.delete(pending.session);
  }

  /** While replies are awaited: does their session still listen? A killed one is noticed in a tick. */
  #armTick(session: string, watched: Watched): void {
    // Close together at first, when a death would be news; later as often as a heartbeat would tell.
    const pauseMs = protocol.presencePollMs * (watched.silentTicks < closeTicks ? 1 : closeTicks);
    watched.timer?.cancel();
    watched.timer = this.#parts.clock.after(pauseMs, () => void this.#tick(session, watched));
  }

  async #tick(session: string, watched: Watched): Promise<void> {
    this.#askDueAgain(watched);
    // Whoever answers others lives: asking the broker would cost it a command for nothing.
    if (watched.heard) watched.silentTicks = 0;
    else await this.#askWhetherAlive(session, watched);
    watched.heard = false;
    if (this.#watched.get(session) === watched) this.#armTick(session, watched);
  }

  /** Those asked longest ago first: what was asked later may only wait behind them. */
  #askDueAgain(watched: Watched): void {
    const nowMs = this.#parts.clock.monotonicMs();
    let count = 0;
    for (const pending of watched.pending) {
      if (pending.againAtMs > nowMs) continue;
      if (count++ >= askedAgainMax) break;
      this.#ask(pending);
    }
    if (count > 0) this.#parts.counters.add('requests_asked_again_total', count);
  }

  async #askWhetherAlive(session: string, watched: Watched): Promise<void> {
    const { bus, watch } = this.#parts;
    try {
      const receivers = await bus.receivers(inboxChannel(session));
      if (receivers === 0) await watch.suspect(session);
      // It may stand still with its connection open, and have been given up by another node.
      else if (watched.silentTicks >= closeTicks) await watch.isDead(session);
      watched.silentTicks += 1;
    } catch {
      // The broker is away. When it is back there is much to ask, and silence proves nothing.
      watch.distrustSilence(distrustMs);
      watched.silentTicks = 0;
    }
  }

  #failAll(session: string): void {
    for (const pending of [...(this.#watched.get(session)?.pending ?? [])]) {
      pending.settle(
        new BackplaneError('RESPONDER_GONE', `session ${session} died before it answered`, {
          facts: { session },
        }),
      );
    }
  }
}

function noResponder(session: string): BackplaneError {
  return new BackplaneError('NO_RESPONDER', `nobody listens for session ${session}`);
}

function late(session: string, timeoutMs: number): BackplaneError {
  return new BackplaneError(
    'DEADLINE_EXCEEDED',
    `session ${session} did not answer within ${formatDuration(timeoutMs)}`,
    { facts: { session } },
  );
}
