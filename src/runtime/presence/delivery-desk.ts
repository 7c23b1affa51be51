import { asBackplaneError, BackplaneError, type ErrorCode } from '../../foundation/errors.ts';
import { presenceLimits } from '../../foundation/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Counters } from '../counters.ts';
import type { ReplyError } from '../reports.ts';
import { toReplyError } from '../requests/wire-errors.ts';
import type { Connection } from './connection.ts';
import type { ConnectionSelector } from './connection-selector.ts';
import type { OwnConnections } from './own-connections.ts';
import type { AnswerStatus, InvocationAnswer } from './presence-door.ts';

export interface DeliveryDeskParts {
  readonly nodeId: string;
  readonly own: OwnConnections;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** What shall be done with every connection of this node that matches. */
export interface LocalDelivery {
  readonly how: 'send' | 'one' | 'all';
  /** Names the delivery, so that it can be called off. */
  readonly ref: string;
  readonly selector: ConnectionSelector;
  readonly method: string;
  readonly payload: Uint8Array;
  readonly timeoutMs: number;
}

export interface LocalOutcome {
  readonly delivered: number;
  /** Of a message, only those that failed; of an invocation, all, or the first success alone. */
  readonly answers: readonly InvocationAnswer[];
}

/**
 * Hands messages and invocations to the connections of this node. It matches against what is true
 * here, whatever the one who asked had heard.
 */
export class DeliveryDesk {
  readonly #parts: DeliveryDeskParts;
  readonly #running = new Map<string, AbortController>();

  constructor(parts: DeliveryDeskParts) {
    this.#parts = parts;
  }

  async deliver(delivery: LocalDelivery): Promise<LocalOutcome> {
    const found = this.#parts.own.find(delivery.selector);
    if (delivery.how === 'send') return this.#send(found, delivery.payload);
    if (found.length > presenceLimits.invokedMax) {
      const message = `${found.length} connections of one node match; at most ${presenceLimits.invokedMax} can be invoked at once`;
      throw new BackplaneError('OVERLOADED', message);
    }
    const abort = new AbortController();
    this.#running.set(delivery.ref, abort);
    try {
      const answers = await this.#invoke(found, delivery, abort);
      return { delivered: found.length, answers };
    } finally {
      abort.abort();
      this.#running.delete(delivery.ref);
    }
  }

  /** Nobody waits for it any more. */
  cancel(ref: string): void {
    this.#running.get(ref)?.abort();
  }

  #send(found: readonly Connection[], payload: Uint8Array): LocalOutcome {
    const answers: InvocationAnswer[] = [];
    for (const { id } of found) {
      try {
        this.#door(id).message(payload);
      } catch (thrown) {
        answers.push(this.#answer(id, 0, thrown));
      }
    }
    const delivered = found.length - answers.length;
    this.#parts.counters.add('presence_messages_total', delivered);
    return { delivered, answers };
  }

  async #invoke(
    found: readonly Connection[],
    delivery: LocalDelivery,
    abort: AbortController,
  ): Promise<InvocationAnswer[]> {
    this.#parts.counters.add('presence_invocations_total', found.length);
    const under = found.map(({ id }) => this.#invokeOne(id, delivery, abort.signal));
    if (delivery.how === 'all') return Promise.all(under);
    const first = under.map(async (one) => {
      const answer = await one;
      if (answer.status !== 'ok') throw answer;
      return answer;
    });
    return Promise.any(first).then(
      (answer) => [answer],
      () => Promise.all(under),
    );
  }

  async #invokeOne(
    id: string,
    { method, payload, timeoutMs }: LocalDelivery,
    signal: AbortSignal,
  ): Promise<InvocationAnswer> {
    const { clock } = this.#parts;
    const startedMs = clock.monotonicMs();
    const over = Promise.withResolvers<never>();
    over.promise.catch(() => {});
    const inTime = new AbortController();
    const timer = clock.after(timeoutMs, () => {
      const message = `the connection did not answer within ${timeoutMs} ms`;
      over.reject(new BackplaneError('DEADLINE_EXCEEDED', message));
      inTime.abort();
    });
    const aborted = () => {
      over.reject(new BackplaneError('INTERRUPTED', 'the invocation was called off'));
    };
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    try {
      const both = AbortSignal.any([signal, inTime.signal]);
      const call = { method, payload, timeoutMs, signal: both };
      const answer = await Promise.race([this.#door(id).invoke(call), over.promise]);
      const latencyMs = clock.monotonicMs() - startedMs;
      const { nodeId } = this.#parts;
      return { connection: id, nodeId, status: 'ok', payload: answer, error: null, latencyMs };
    } catch (thrown) {
      return this.#answer(id, clock.monotonicMs() - startedMs, thrown);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', aborted);
    }
  }

  #door(id: string) {
    const door = this.#parts.own.door(id);
    if (door) return door;
    throw new BackplaneError('RESPONDER_GONE', 'the connection is gone');
  }

  #answer(connection: string, latencyMs: number, thrown: unknown): InvocationAnswer {
    const { nodeId } = this.#parts;
    return failedAnswer({ connection, nodeId, latencyMs }, thrown);
  }
}

/** Why a connection has no answer, as it is told. */
export function failedAnswer(
  whose: Pick<InvocationAnswer, 'connection' | 'nodeId' | 'latencyMs'>,
  thrown: unknown,
): InvocationAnswer {
  const error: ReplyError = toReplyError(asBackplaneError(thrown));
  return { ...whose, status: statusOf(error.code), payload: null, error };
}

const vanished: ReadonlySet<ErrorCode> = new Set([
  'RESPONDER_GONE',
  'NO_RESPONDER',
  'CONNECTION_UNKNOWN',
  'NODE_DEAD',
  'KICKED',
]);

function statusOf(code: ErrorCode): AnswerStatus {
  if (code === 'DEADLINE_EXCEEDED') return 'timed-out';
  return vanished.has(code) ? 'vanished' : 'failed';
}
