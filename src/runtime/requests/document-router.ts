import { formatDuration } from '../../foundation/duration.ts';
import {
  asBackplaneError,
  BackplaneError,
  type ErrorCode,
  inDoubt,
} from '../../foundation/errors.ts';
import { parseOpId } from '../../foundation/identifiers.ts';
import { limits } from '../../foundation/limits.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { Leases } from '../../ports/leases.ts';
import type { Random } from '../../ports/random.ts';
import type { LatencyCounts } from '../health/latency-counts.ts';
import type { SessionWatch } from '../sessions/session-watch.ts';
import type { LiveNodes } from './live-nodes.ts';
import { wasHandled } from './methods.ts';
import type { Requester } from './requester.ts';
import type { Answer } from './responder.ts';
import { SiblingOps } from './sibling-ops.ts';

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
  /** How long peers of this node waited. */
  readonly latencies?: LatencyCounts;
}

const ownersKnownMax = 131_072;
/** An op without an answer is sent again after this long: its frame or its reply may be lost. */
const opResendMs = 3_000;
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
  'DEADLINE_EXCEEDED',
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
  /** By document and peer: an op may overtake its predecessor, or the answer to it. */
  readonly #siblings = new Map<string, SiblingOps>();
  /** Those that wait for the cluster to change, in the order in which they came to wait. */
  readonly #resting = new Set<AbortController>();

  constructor(parts: DocumentRouterParts) {
    this.#parts = parts;
    parts.watch.onDeath(() => this.hurry());
  }

  /** The cluster has changed: what waits for that tries again now. */
  hurry(): void {
    for (const rest of [...this.#resting]) rest.abort();
  }

  async route(request: RoutedRequest): Promise<Answer> {
    if (request.hops > limits.hopsMax) {
      throw new BackplaneError('CONFLICT', `the request went through ${request.hops} nodes`);
    }
    if (request.plane !== 'op') return this.#untilDeadline(request);
    const { peer, counter } = parseOpId(request.method);
    const key = `${request.doc}\n${peer}`;
    const siblings = this.#siblings.get(key) ?? new SiblingOps();
    this.#siblings.set(key, siblings);
    siblings.begin(counter);
    try {
      const answer = await this.#untilDeadline(request, { siblings, counter });
      siblings.applied(counter);
      return answer;
    } finally {
      siblings.end(counter);
      if (siblings.isEmpty) this.#siblings.delete(key);
    }
  }

  forget(doc: string): void {
    this.#owners.delete(doc);
  }

  /** Whatever hangs on the way, here or elsewhere, there is an answer by the deadline. */
  async #untilDeadline(request: RoutedRequest, place?: PlaceInRow): Promise<Answer> {
    const { clock, latencies } = this.#parts;
    const startedMs = clock.monotonicMs();
    const tried: Tried = { doubt: false, underWay: false, last: null, unreachable: new Set() };
    const end = Promise.withResolvers<never>();
    const giveUp = () => end.reject(gaveUp(request, tried));
    const timer = clock.after(request.timeoutMs, giveUp);
    request.signal?.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([this.#attempts(request, tried, place), end.promise]);
    } finally {
      timer.cancel();
      if (request.hops === 0) latencies?.record(clock.monotonicMs() - startedMs);
      request.signal?.removeEventListener('abort', giveUp);
    }
  }

  async #attempts(request: RoutedRequest, tried: Tried, place?: PlaceInRow): Promise<Answer> {
    const { clock } = this.#parts;
    const deadlineMs = clock.monotonicMs() + request.timeoutMs;
    if (place?.siblings.isHeldUp) await place.siblings.after(place.siblings.first(), place.counter);
    for (let attempt = 0; ; attempt++) {
      const timeoutMs = deadlineMs - clock.monotonicMs();
      if (timeoutMs <= 0 || request.signal?.aborted) throw gaveUp(request, tried);
      try {
        return await this.#once({ ...request, timeoutMs }, tried);
      } catch (thrown) {
        const error = asBackplaneError(thrown);
        tried.underWay = false;
        const isEarly = awaitsSibling(error, place);
        // Who waits for an op that is on its way is the owner.
        if (!isEarly) this.forget(request.doc);
        if (!(error.code === 'DEADLINE_EXCEEDED' && tried.last)) tried.last = error;
        if (error.certainty === 'indefinite') tried.doubt = true;
        if (!mayRetry(request, error, place)) throw tried.doubt ? inDoubt(error) : error;
        const recover = () => this.#recover(request.doc, error, attempt, tried);
        await (place ? itsTurn(place, error, recover) : recover());
      }
    }
  }

  async #once(request: RoutedRequest, tried: Tried): Promise<Answer> {
    const { local, nodes, requester } = this.#parts;
    const owner = await this.#ownerOf(request.doc);
    const isOurs = owner === null ? local?.willing() : owner === local?.session();
    if (local && isOurs) {
      tried.underWay = true;
      return this.#runHere(local, request);
    }
    if (owner !== null) {
      tried.asked = owner;
      tried.underWay = true;
      return requester.send(outgoing(request, owner, true, local !== null));
    }
    const self = local?.session();
    // No answer would find us; and there may be no other node, while we are one in a moment.
    if (self === null) throw new BackplaneError('LEASE_UNCERTAIN', 'this node has no session now');
    const node = await nodes.pick(self ? new Set([...tried.unreachable, self]) : tried.unreachable);
    tried.asked = node.id;
    tried.underWay = true;
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
    const { clock, watch, local } = this.#parts;
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
    const rest = new AbortController();
    this.#resting.add(rest);
    await sleep(clock, this.#pauseMs(attempt), rest.signal);
    this.#resting.delete(rest);
  }

  #pauseMs(attempt: number): number {
    const pauseMs = Math.min(pauseMsMax, pauseMsMin * 2 ** Math.min(attempt, 10));
    return pauseMs * (0.5 + this.#parts.random.fraction() / 2);
  }
}

/** An op among those of its peer that this node brings to the owner at the same time. */
interface PlaceInRow {
  readonly siblings: SiblingOps;
  readonly counter: number;
}

interface Tried {
  /** Some attempt may have been carried out. */
  doubt: boolean;
  /** An attempt was made whose outcome is still open. */
  underWay: boolean;
  last: BackplaneError | null;
  asked?: string;
  readonly unreachable: Set<string>;
}

function outgoing(request: RoutedRequest, session: string, direct: boolean, throughNode: boolean) {
  const { plane, method, doc, payload, timeoutMs, signal } = request;
  const hops = request.hops + (throughNode ? 1 : 0);
  const remainingMs = plane === 'op' ? Math.min(timeoutMs, opResendMs) : timeoutMs;
  return { session, plane, method, doc, payload, direct, hops, signal, remainingMs };
}

/** It came before another one that this node is bringing as well. */
function awaitsSibling(error: BackplaneError, place: PlaceInRow | undefined): boolean {
  if (error.code !== 'OP_GAP' || !place) return false;
  const expected = Number(error.facts.expected);
  return place.siblings.isUnderWay(expected) && !place.siblings.wasApplied(expected);
}

/** Only the first of a row tries to recover; the others follow it. */
async function itsTurn(
  place: PlaceInRow,
  error: BackplaneError,
  recover: () => Promise<void>,
): Promise<void> {
  const { siblings, counter } = place;
  const awaited = awaitsSibling(error, place) ? Number(error.facts.expected) : siblings.first();
  const turn = awaited < counter ? siblings.after(awaited, counter) : null;
  await (turn ?? siblings.rest(recover));
}

function mayRetry(
  request: RoutedRequest,
  error: BackplaneError,
  place: PlaceInRow | undefined,
): boolean {
  if (error.code === 'OP_GAP') {
    const expected = Number(error.facts.expected);
    return awaitsSibling(error, place) || (place?.siblings.wasApplied(expected) ?? false);
  }
  if (request.plane === 'op') return passing.has(error.code) || doubtful.has(error.code);
  return passing.has(error.code) && error.certainty === 'definite' && !wasHandled(error);
}

function gaveUp(request: RoutedRequest, tried: Tried): BackplaneError {
  const error = request.signal?.aborted
    ? new BackplaneError('INTERRUPTED', 'the request was given up', { certainty: 'definite' })
    : (tried.last ?? unanswered(request, tried));
  return tried.doubt || tried.underWay ? inDoubt(error) : error;
}

function unanswered(request: RoutedRequest, tried: Tried): BackplaneError {
  const { asked } = tried;
  const who = asked ? `session ${asked}, which was asked for "${request.doc}",` : 'the backplane';
  return new BackplaneError(
    'DEADLINE_EXCEEDED',
    `${who} did not answer within ${formatDuration(request.timeoutMs)}`,
    { certainty: 'definite', facts: asked ? { session: asked } : {} },
  );
}
