import { asBackplaneError, BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import { presenceLimits } from '../../foundation/limits.ts';
import { parsePlainJson } from '../../foundation/plain-json.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { Requester } from '../requests/requester.ts';
import type { SessionWatch } from '../sessions/session-watch.ts';
import type { Connection } from './connection.ts';
import { type ConnectionSelector, nothingMatches } from './connection-selector.ts';
import {
  type DeliveryDesk,
  failedAnswer,
  type LocalDelivery,
  type LocalOutcome,
} from './delivery-desk.ts';
import { readOutcome, writeDelivery } from './local-delivery-wire.ts';
import type { InvocationAnswer, SendOptions, SendReport } from './presence-door.ts';

export interface DeliveriesParts {
  readonly nodeId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly requester: Requester;
  readonly watch: SessionWatch;
  readonly desk: DeliveryDesk;
  readonly requestTimeoutMs: number;
  session(): string | null;
  find(selector: ConnectionSelector, fresh: boolean): Promise<Connection[]>;
}

/** A node with connections that match, by what was heard of it. */
interface Holder {
  /** Null for this node. */
  readonly session: string | null;
  readonly nodeId: string;
  readonly connections: Connection[];
}

interface Share {
  readonly holder: Holder;
  readonly outcome: LocalOutcome;
}

type Call = Pick<LocalDelivery, 'how' | 'method' | 'payload'>;

/** A holder ends its waiting this much before us, so that it can say who did not answer. */
const slackShare = 0.1;
const slackMsMax = 500;

/**
 * Reaches connections wherever they are: one request for each node that holds some, which carries
 * whom it is for. Whose node does not answer is named, too.
 */
export class Deliveries {
  readonly #parts: DeliveriesParts;

  constructor(parts: DeliveriesParts) {
    this.#parts = parts;
  }

  async send(
    selector: ConnectionSelector,
    payload: Uint8Array,
    options: SendOptions,
  ): Promise<SendReport> {
    const call: Call = { how: 'send', method: '', payload };
    const shares = await this.#deliver(selector, call, options);
    const reached = shares.filter(({ outcome }) => outcome.delivered > 0);
    return {
      delivered: shares.reduce((sum, { outcome }) => sum + outcome.delivered, 0),
      nodes: [...new Set(reached.map(({ holder }) => holder.nodeId))].sort(),
      undelivered: shares.flatMap(({ outcome }) => outcome.answers),
    };
  }

  async invokeAll(
    selector: ConnectionSelector,
    method: string,
    payload: Uint8Array,
    options: SendOptions,
  ): Promise<InvocationAnswer[]> {
    const shares = await this.#deliver(selector, { how: 'all', method, payload }, options);
    return shares.flatMap(({ outcome }) => outcome.answers);
  }

  async invokeOne(
    selector: ConnectionSelector,
    method: string,
    payload: Uint8Array,
    options: SendOptions,
  ): Promise<InvocationAnswer> {
    const won = new AbortController();
    const signal = options.signal ? AbortSignal.any([won.signal, options.signal]) : won.signal;
    const first = Promise.withResolvers<InvocationAnswer>();
    const all = this.#deliver(
      selector,
      { how: 'one', method, payload },
      { ...options, signal },
      ({ outcome }) => {
        const success = outcome.answers.find(({ status }) => status === 'ok');
        if (success) first.resolve(success);
      },
    );
    const none = all.then((shares) => {
      const answers = shares.flatMap(({ outcome }) => outcome.answers);
      throw nobodySucceeded(selector, method, answers);
    });
    try {
      return await Promise.race([first.promise, none]);
    } finally {
      won.abort();
      none.catch(() => {});
    }
  }

  async #deliver(
    selector: ConnectionSelector,
    call: Call,
    options: SendOptions,
    answered: (share: Share) => void = () => {},
  ): Promise<Share[]> {
    const { length } = call.payload;
    if (length > presenceLimits.payloadBytesMax) {
      throw new BackplaneError('PAYLOAD_TOO_LARGE', `the payload has ${length} bytes`, {
        remedy: `send at most ${presenceLimits.payloadBytesMax} bytes to connections`,
      });
    }
    const holders = await this.#holders(selector, options.fresh ?? false);
    const timeoutMs = options.timeoutMs ?? this.#parts.requestTimeoutMs;
    const slackMs = Math.min(slackMsMax, timeoutMs * slackShare);
    const ref = this.#parts.random.token(12);
    const delivery = { ...call, ref, selector, timeoutMs: timeoutMs - slackMs };
    return Promise.all(
      holders.map(async (holder) => {
        const share = { holder, outcome: await this.#ask(holder, delivery, timeoutMs, options) };
        answered(share);
        return share;
      }),
    );
  }

  /** By what was heard; if that is nobody, by what the broker has; throws if that is nobody, too. */
  async #holders(selector: ConnectionSelector, fresh: boolean): Promise<Holder[]> {
    let found = await this.#parts.find(selector, fresh);
    if (found.length === 0 && !fresh) found = await this.#parts.find(selector, true);
    if (found.length === 0) throw nothingMatches(selector);
    const own = this.#parts.session();
    const holders = new Map<string, Holder>();
    for (const connection of found) {
      const { session, nodeId } = connection;
      const isOwn = nodeId === this.#parts.nodeId && (session === own || session === '');
      const holder = holders.get(session);
      if (holder) holder.connections.push(connection);
      else
        holders.set(session, {
          session: isOwn ? null : session,
          nodeId,
          connections: [connection],
        });
    }
    return [...holders.values()];
  }

  async #ask(
    holder: Holder,
    delivery: LocalDelivery,
    timeoutMs: number,
    { signal }: SendOptions,
  ): Promise<LocalOutcome> {
    const { desk, clock } = this.#parts;
    const startedMs = clock.monotonicMs();
    const callOff = () => this.#callOff(holder, delivery.ref);
    if (delivery.how !== 'send') signal?.addEventListener('abort', callOff, { once: true });
    try {
      if (holder.session === null) return await desk.deliver(delivery);
      return readOutcome(await this.#request(holder.session, delivery, timeoutMs, signal));
    } catch (thrown) {
      const latencyMs = clock.monotonicMs() - startedMs;
      const { nodeId, connections, session } = holder;
      // Nobody is there: if its process is gone, so are its connections, and all should know.
      const isAbsent = isBackplaneError(thrown, 'NO_RESPONDER') && session !== null;
      if (isAbsent) this.#parts.watch.suspect(session).catch(() => {});
      const answers = connections.map(({ id }) => {
        return failedAnswer({ connection: id, nodeId, latencyMs }, thrown);
      });
      return { delivered: 0, answers };
    } finally {
      signal?.removeEventListener('abort', callOff);
    }
  }

  async #request(
    session: string,
    delivery: LocalDelivery,
    remainingMs: number,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const reply = await this.#parts.requester.send({
      session,
      plane: 'control',
      method: 'presence.local',
      doc: null,
      direct: true,
      hops: 0,
      payload: writeDelivery(delivery),
      remainingMs,
      signal,
    });
    return parsePlainJson(Buffer.from(reply.payload).toString('utf8'), 'the answer of the node');
  }

  /** Another was faster: whoever is still at it may stop. */
  #callOff(holder: Holder, ref: string): void {
    if (holder.session === null) return this.#parts.desk.cancel(ref);
    const cancelling = this.#parts.requester.send({
      session: holder.session,
      plane: 'control',
      method: 'presence.cancel',
      doc: null,
      direct: true,
      hops: 0,
      payload: Buffer.from(JSON.stringify({ ref })),
      remainingMs: 2_000,
    });
    // Not told, it ends by its own deadline.
    cancelling.catch(() => {});
  }
}

function nobodySucceeded(
  selector: ConnectionSelector,
  method: string,
  answers: readonly InvocationAnswer[],
): BackplaneError {
  const [first] = answers.filter(({ status }) => status === 'failed').concat(answers);
  if (!first?.error) return nothingMatches(selector);
  const { code, message, certainty } = first.error;
  const told = answers.slice(0, presenceLimits.rowsMax).map(({ payload, ...answer }) => answer);
  return new BackplaneError(code, `none of ${answers.length} answered ${method}: ${message}`, {
    certainty,
    facts: { answers: told },
  });
}

export function isAway(error: unknown): boolean {
  const { code } = asBackplaneError(error);
  return code === 'NO_RESPONDER' || code === 'RESPONDER_GONE' || code === 'CONNECTION_UNKNOWN';
}
