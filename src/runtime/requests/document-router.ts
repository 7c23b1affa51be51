import { formatDuration } from '../../foundation/duration.ts';
import { asBackplaneError, BackplaneError, type ErrorCode } from '../../foundation/errors.ts';
import { parseOpId } from '../../foundation/identifiers.ts';
import { limits } from '../../foundation/limits.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { Leases } from '../../ports/leases.ts';
import type { Random } from '../../ports/random.ts';
import type { SessionWatch } from '../sessions/session-watch.ts';
import type { LiveNodes } from './live-nodes.ts';
import type { Requester } from './requester.ts';
import type { Answer } from './responder.ts';

export interface RoutedRequest {
  readonly plane: 'op' | 'call';
  readonly method: string;
  readonly doc: string;
  readonly payload: Uint8Array;
  readonly hops: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** This node as a possible owner; a visitor has none. */
export interface LocalOwner {
  session(): string | null;
  willing(): boolean;
  run(request: RoutedRequest & { readonly signal: AbortSignal }): Promise<Answer>;
}

export interface DocumentRouterParts {
  readonly leases: Leases;
  readonly watch: SessionWatch;
  readonly nodes: LiveNodes;
  readonly requester: Requester;
  readonly clock: Clock;
  readonly random: Random;
  readonly local: LocalOwner | null;
}

const ownersKnownMax = 131_072;
const pauseMsMin = 5;
const pauseMsMax = 400;

/** The state of the cluster changes under these; the request itself was not run. */
const passing: ReadonlySet<ErrorCode> = new Set([
  'NO_RESPONDER',
  'NOT_OWNER',
  'LEASE_HELD',
  'LEASE_LOST',
  'LEASE_UNCERTAIN',
  'FENCED',
  'CONFLICT',
  'DRAINING',
  'SESSION_LOST',
  'OVERLOADED',
  'BACKPLANE_UNREACHABLE',
  'STORE_LOCKED',
]);
/** It may have been run; only what is deduplicated may be sent again. */
const doubtful: ReadonlySet<ErrorCode> = new Set([
  'RESPONDER_GONE',
  'BACKPLANE_LOST',
  'STORE_UNAVAILABLE',
  'INTERNAL',
]);

/**
 * Brings a request to the owner of its document, whoever that is by then. Peers never see a
 * redirection, a takeover or a hand-over; they see an answer, or an error by the deadline.
 *
 * An op is sent again with the same opId after any failure, because it is applied once. A call is
 * sent again only when it certainly was not run.
 */
export class DocumentRouter {
  readonly #parts: DocumentRouterParts;
  readonly #owners = new Map<string, string>();
  /** Counters of ops under way here, by document and peer: an op may overtake its predecessor. */
  readonly #underWay = new Map<string, Set<number>>();

  constructor(parts: DocumentRouterParts) {
    this.#parts = parts;
  }

  async route(request: RoutedRequest): Promise<Answer> {
    if (request.hops > limits.hopsMax) {
      throw new BackplaneError('CONFLICT', `the request went through ${request.hops} nodes`);
    }
    if (request.plane !== 'op') return this.#untilDeadline(request);
    const { peer, counter } = parseOpId(request.method);
    const key = `${request.doc}\n${peer}`;
    const siblings = this.#underWay.get(key) ?? new Set();
    this.#underWay.set(key, siblings.add(counter));
    try {
      return await this.#untilDeadline(request, siblings);
    } finally {
      siblings.delete(counter);
      if (siblings.size === 0) this.#underWay.delete(key);
    }
  }

  forget(doc: string): void {
    this.#owners.delete(doc);
  }

  async #untilDeadline(request: RoutedRequest, siblings?: ReadonlySet<number>): Promise<Answer> {
    const { clock } = this.#parts;
    const deadlineMs = clock.monotonicMs() + request.timeoutMs;
    const tried: Tried = { doubt: false, last: null, unreachable: new Set() };
    for (let attempt = 0; ; attempt++) {
      const timeoutMs = deadlineMs - clock.monotonicMs();
      if (timeoutMs <= 0 || request.signal?.aborted) throw gaveUp(request, tried);
      try {
        return await this.#once({ ...request, timeoutMs }, tried);
      } catch (thrown) {
        const error = asBackplaneError(thrown);
        this.forget(request.doc);
        if (!(error.code === 'DEADLINE_EXCEEDED' && tried.last)) tried.last = error;
        if (error.certainty === 'indefinite') tried.doubt = true;
        if (!mayRetry(request, error, siblings)) throw withDoubt(error, tried.doubt);
        await this.#recover(request.doc, error, attempt, tried);
      }
    }
  }

  async #once(request: RoutedRequest, tried: Tried): Promise<Answer> {
    const { local, nodes, requester } = this.#parts;
    const owner = await this.#ownerOf(request.doc);
    if (local && owner !== null && owner === local.session()) return this.#runHere(local, request);
    if (owner !== null) {
      tried.asked = owner;
      return requester.send(outgoing(request, owner, true, local !== null));
    }
    if (local?.willing()) return this.#runHere(local, request);
    const self = local?.session();
    const node = await nodes.pick(self ? new Set([...tried.unreachable, self]) : tried.unreachable);
    tried.asked = node.id;
    return requester.send(outgoing(request, node.id, false, local !== null));
  }

  #runHere(local: LocalOwner, request: RoutedRequest): Promise<Answer> {
    const signal = request.signal ?? new AbortController().signal;
    return local.run({ ...request, signal });
  }

  /** The live session the directory names; null when there is none, or a dead one. */
  async #ownerOf(doc: string): Promise<string | null> {
    const { watch, leases } = this.#parts;
    const known = this.#owners.get(doc);
    if (known !== undefined && !watch.isKnownDead(known)) return known;
    const record = await leases.read(doc);
    if (!record || watch.isKnownDead(record.session)) return null;
    this.#remember(doc, record.session);
    return record.session;
  }

  #remember(doc: string, session: string): void {
    this.#owners.set(doc, session);
    if (this.#owners.size <= ownersKnownMax) return;
    const [oldest] = this.#owners.keys();
    if (oldest !== undefined) this.#owners.delete(oldest);
  }

  async #recover(doc: string, error: BackplaneError, attempt: number, tried: Tried): Promise<void> {
    const { clock, random, watch, local } = this.#parts;
    const holder = error.facts.session;
    if (error.code === 'LEASE_HELD' && typeof holder === 'string') {
      // The holder may be gone without anybody having noticed yet.
      this.#remember(doc, holder);
    }
    if (error.code === 'RESPONDER_GONE') return;
    if (error.code === 'NO_RESPONDER' && tried.asked) {
      tried.unreachable.add(tried.asked);
      if (await watch.suspect(tried.asked).catch(() => false)) return;
    }
    if (error.code === 'DRAINING' && !local && tried.asked) tried.unreachable.add(tried.asked);
    const pauseMs = Math.min(pauseMsMax, pauseMsMin * 2 ** Math.min(attempt, 10));
    await sleep(clock, pauseMs * (0.5 + random.fraction() / 2));
  }
}

interface Tried {
  /** Some attempt may have been carried out. */
  doubt: boolean;
  last: BackplaneError | null;
  asked?: string;
  readonly unreachable: Set<string>;
}

function outgoing(request: RoutedRequest, session: string, direct: boolean, throughNode: boolean) {
  const { plane, method, doc, payload, timeoutMs, signal } = request;
  const hops = request.hops + (throughNode ? 1 : 0);
  return { session, plane, method, doc, payload, direct, hops, signal, remainingMs: timeoutMs };
}

function mayRetry(
  request: RoutedRequest,
  error: BackplaneError,
  siblings: ReadonlySet<number> | undefined,
): boolean {
  if (error.code === 'OP_GAP') return siblings?.has(error.facts.expected as number) ?? false;
  if (request.plane === 'op') return passing.has(error.code) || doubtful.has(error.code);
  return passing.has(error.code) && error.certainty === 'definite';
}

function withDoubt(error: BackplaneError, doubt: boolean): BackplaneError {
  if (!doubt || error.certainty === 'indefinite') return error;
  const { code, message, cause, remedy, facts } = error;
  return new BackplaneError(code, message, { cause, remedy, facts, certainty: 'indefinite' });
}

function gaveUp(request: RoutedRequest, tried: Tried): BackplaneError {
  if (request.signal?.aborted) {
    return withDoubt(new BackplaneError('INTERRUPTED', 'the request was given up'), tried.doubt);
  }
  if (tried.last) return withDoubt(tried.last, tried.doubt);
  return new BackplaneError(
    'DEADLINE_EXCEEDED',
    `no owner of "${request.doc}" answered within ${formatDuration(request.timeoutMs)}`,
  );
}
