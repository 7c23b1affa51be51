import { BackplaneError } from '../../foundation/errors.ts';
import { limits } from '../../foundation/limits.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import { repeat } from '../../ports/clock.ts';
import { awarenessFrames } from '../announcements.ts';
import { documentChannel } from '../channels.ts';
import type { Counters } from '../counters.ts';
import { noPayload } from '../frames.ts';
import type { Outbox } from '../outbox.ts';
import type { AwarenessChange } from '../reports.ts';

export interface AwarenessParts {
  readonly nodeId: string;
  /** What our peers' states hang on; null between two sessions. */
  session(): string | null;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly ttlMs: number;
  readonly ratePerSecond: number;
  /** Tells the followers of the document in this process. */
  deliver(doc: string, changes: readonly AwarenessChange[]): void;
}

export interface OwnPeer {
  readonly doc: string;
  readonly peer: string;
  readonly clock: number;
  readonly state: Uint8Array;
  /** Null when the others were not told yet. */
  readonly sentAgoMs: number | null;
}

interface LocalPeer {
  clock: number;
  state: Uint8Array | null;
  /** Changed since it was last sent. */
  dirty: boolean;
  sentMs: number;
}

interface RemotePeer {
  readonly session: string;
  clock: number;
  /** Null remembers that it went, or a state that was overtaken would bring it back. */
  state: Uint8Array | null;
  expiresMs: number;
  /** When it was ours and we last told: coming back does not start the rate anew. */
  readonly sentMs?: number;
}

interface DocumentAwareness {
  readonly local: Map<string, LocalPeer>;
  readonly remote: Map<string, RemotePeer>;
  /** States of peers that have not left us, though they are said to be elsewhere by now. */
  readonly yielded: Map<string, Uint8Array>;
  sending: Timer | null;
}

/** Of our own sessions, the ones whose frames may still be on their way. */
const sessionsKnownMax = 16;

/**
 * Cursors and the like: the latest state of a peer wins, is never stored, and is forgotten when
 * its node dies or goes silent. Changes are coalesced: at most so many broadcasts a second per document
 * and peer, and the last state always goes out. A state that has not changed is only repeated to
 * keep it alive, after half its time-to-live.
 */
export class Awareness {
  readonly #parts: AwarenessParts;
  readonly #documents = new Map<string, DocumentAwareness>();
  /** Told apart by session, not by node id: two nodes may have one id. */
  readonly #ownSessions = new Set<string>();
  #timer: Timer | null = null;

  constructor(parts: AwarenessParts) {
    this.#parts = parts;
  }

  start(): void {
    const pauseMs = () => this.#parts.ttlMs / 6;
    this.#timer = repeat(this.#parts.clock, pauseMs, () => this.#keepAlive());
  }

  stop(): void {
    this.#timer?.cancel();
    for (const { sending } of this.#documents.values()) sending?.cancel();
  }

  set(doc: string, peer: string, state: Uint8Array | null): void {
    if (state && state.length > limits.awarenessBytesMax) {
      throw new BackplaneError('PAYLOAD_TOO_LARGE', `the awareness has ${state.length} bytes`);
    }
    const document = this.#document(doc);
    document.yielded.delete(peer);
    let local = document.local.get(peer);
    if (!local) {
      if (state === null) return this.#forgetEmpty(doc, document);
      if (document.local.size >= limits.awarenessPeersMax) {
        throw new BackplaneError('OVERLOADED', `"${doc}" has too many peers with awareness`);
      }
      // Starting from the wall clock, a peer that comes back through another node outbids itself;
      // starting from what was heard, also when that node's clock is ahead of ours.
      const heard = document.remote.get(peer)?.clock ?? 0;
      const startClock = Math.max(Math.floor(this.#parts.clock.wallMs()), heard);
      const sentMs = document.remote.get(peer)?.sentMs ?? Number.NEGATIVE_INFINITY;
      local = { clock: startClock, state: null, dirty: false, sentMs };
      document.local.set(peer, local);
      document.remote.delete(peer);
    } else if (isSame(local.state, state)) return;
    local.clock += 1;
    local.state = state ? Uint8Array.prototype.slice.call(state) : null;
    local.dirty = true;
    this.#parts.deliver(doc, [{ doc, peer, clock: local.clock, state: local.state }]);
    this.#send(doc, document);
  }

  /** What a peer that joins now should know. */
  states(doc: string): AwarenessChange[] {
    const document = this.#documents.get(doc);
    if (!document) return [];
    const all = [...document.remote, ...document.local];
    return all.flatMap(([peer, { clock, state }]) => (state ? [{ doc, peer, clock, state }] : []));
  }

  /** The peers of this node that have a state, in one document or in all. */
  *ownPeers(wanted: string | null): Generator<OwnPeer> {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const [doc, { local }] of this.#documents) {
      if (wanted !== null && doc !== wanted) continue;
      for (const [peer, { clock, state, sentMs }] of local) {
        const sentAgoMs = Number.isFinite(sentMs) ? nowMs - sentMs : null;
        if (state) yield { doc, peer, clock, state, sentAgoMs };
      }
    }
  }

  heard(doc: string, changes: readonly AwarenessChange[], session: string): void {
    if (this.#ownSessions.has(session)) return;
    const document = this.#document(doc);
    const news = changes.filter((change) => {
      const local = document.local.get(change.peer);
      if (local && !this.#yields(local, document, change)) return false;
      return this.#accept(document, change, session);
    });
    if (news.length > 0) this.#parts.deliver(doc, news);
    this.#reclaim(doc, document, news);
    this.#send(doc, document);
  }

  heardQuery(doc: string, session: string): void {
    const document = this.#documents.get(doc);
    if (!document || this.#ownSessions.has(session)) return;
    for (const local of document.local.values()) local.dirty = true;
    this.#send(doc, document);
  }

  /** The first follower came, and wants to know who else is there. */
  query(doc: string): void {
    const { outbox, nodeId } = this.#parts;
    const session = this.#session();
    const frame = { kind: 'awareness-query', doc, nodeId, session, payload: noPayload } as const;
    outbox.send(documentChannel(doc), frame).catch(() => {});
  }

  /** Nobody here listens any more: what is known of the others' peers grows old unheard. */
  leave(doc: string): void {
    const document = this.#documents.get(doc);
    if (!document) return;
    document.remote.clear();
    this.#forgetEmpty(doc, document);
  }

  /** Our session is a new one, and the old one's states are forgotten by whoever knows it dead. */
  reintroduce(): void {
    for (const [doc, document] of this.#documents) {
      for (const local of document.local.values()) {
        local.clock += 1;
        local.dirty = true;
      }
      this.#send(doc, document);
    }
  }

  /** The peers of a dead session are gone; no need to wait for their time to run out. */
  forgetSession(session: string): void {
    for (const [doc, document] of this.#documents) {
      const { remote } = document;
      const gone: AwarenessChange[] = [];
      for (const [peer, known] of remote) {
        if (known.session !== session || known.state === null) continue;
        known.state = null;
        gone.push({ doc, peer, clock: known.clock, state: null });
      }
      if (gone.length > 0) this.#parts.deliver(doc, gone);
      if (this.#reclaim(doc, document, gone)) this.#send(doc, document);
    }
  }

  /** A peer of ours is said to be elsewhere, or gone. The later news is right, except about "gone". */
  #yields(local: LocalPeer, document: DocumentAwareness, change: AwarenessChange): boolean {
    if (change.clock <= local.clock) return false;
    if (change.state === null) {
      // The node it came from says farewell; it is here, and says so once more.
      local.clock = change.clock + 1;
      local.dirty = true;
      return false;
    }
    document.local.delete(change.peer);
    if (local.state) document.yielded.set(change.peer, local.state);
    return true;
  }

  /**
   * A peer that is gone elsewhere and never left here is here: the node it was said to be at only
   * heard late what it had said over a connection that was broken by then. Answers whether any is.
   */
  #reclaim(doc: string, document: DocumentAwareness, news: readonly AwarenessChange[]): boolean {
    const back: AwarenessChange[] = [];
    for (const change of news) {
      const state = document.yielded.get(change.peer);
      if (change.state !== null || state === undefined) continue;
      const clock = change.clock + 1;
      document.yielded.delete(change.peer);
      document.remote.delete(change.peer);
      const sentMs = Number.NEGATIVE_INFINITY;
      document.local.set(change.peer, { clock, state, dirty: true, sentMs });
      back.push({ doc, peer: change.peer, clock, state });
    }
    if (back.length > 0) this.#parts.deliver(doc, back);
    return back.length > 0;
  }

  #accept(document: DocumentAwareness, change: AwarenessChange, session: string): boolean {
    const { peer, clock, state } = change;
    const known = document.remote.get(peer);
    if (known && clock < known.clock) return false;
    const isNews = known ? clock > known.clock : state !== null;
    if (!known && document.remote.size >= limits.awarenessPeersMax) return false;
    const expiresMs = this.#parts.clock.monotonicMs() + this.#parts.ttlMs;
    const kept = known && !isNews ? known.state : state;
    document.remote.set(peer, { session, clock, state: kept, expiresMs });
    return isNews;
  }

  #session(): string {
    const session = this.#parts.session();
    if (session !== null && !this.#ownSessions.has(session)) {
      this.#ownSessions.add(session);
      const [oldest] = this.#ownSessions;
      if (this.#ownSessions.size > sessionsKnownMax && oldest) this.#ownSessions.delete(oldest);
    }
    return session ?? [...this.#ownSessions].at(-1) ?? '';
  }

  /** Sends what is due now, and arms a timer for what the rate holds back. */
  #send(doc: string, document: DocumentAwareness): void {
    if (document.sending) return;
    const { clock, ratePerSecond } = this.#parts;
    const intervalMs = 1_000 / ratePerSecond;
    const nowMs = clock.monotonicMs();
    const due: [string, LocalPeer][] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [peer, local] of document.local) {
      if (!local.dirty) continue;
      if (nowMs - local.sentMs >= intervalMs) due.push([peer, local]);
      else nextMs = Math.min(nextMs, local.sentMs + intervalMs);
    }
    if (due.length > 0) this.#publish(doc, document, due);
    if (nextMs === Number.POSITIVE_INFINITY) return this.#forgetEmpty(doc, document);
    document.sending = clock.after(nextMs - nowMs, () => {
      document.sending = null;
      this.#send(doc, document);
    });
  }

  #publish(doc: string, document: DocumentAwareness, due: readonly [string, LocalPeer][]): void {
    const { clock, counters, outbox, nodeId } = this.#parts;
    const from = { doc, nodeId, session: this.#session() };
    const states = due.map(([peer, local]) => ({ peer, clock: local.clock, state: local.state }));
    for (const frame of awarenessFrames(from, states)) {
      outbox.send(documentChannel(doc), frame).catch(() => {});
    }
    counters.add('awareness_sent_total', due.length);
    const sentMs = clock.monotonicMs();
    for (const [peer, local] of due) {
      local.dirty = false;
      local.sentMs = sentMs;
      if (local.state === null) this.#remove(document, peer, local);
    }
  }

  /** Remembered as gone for a while, so that it outbids itself when it comes back. */
  #remove(document: DocumentAwareness, peer: string, { clock, sentMs }: LocalPeer): void {
    document.local.delete(peer);
    const expiresMs = sentMs + this.#parts.ttlMs;
    document.remote.set(peer, { session: this.#session(), clock, state: null, expiresMs, sentMs });
  }

  #keepAlive(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const [doc, document] of this.#documents) {
      for (const local of document.local.values()) {
        if (nowMs - local.sentMs > this.#parts.ttlMs / 2) local.dirty = true;
      }
      this.#send(doc, document);
      const gone: AwarenessChange[] = [];
      for (const [peer, { clock, state, expiresMs }] of document.remote) {
        if (expiresMs > nowMs) continue;
        document.remote.delete(peer);
        if (state) gone.push({ doc, peer, clock, state: null });
      }
      if (gone.length > 0) this.#parts.deliver(doc, gone);
      if (this.#reclaim(doc, document, gone)) this.#send(doc, document);
      this.#forgetEmpty(doc, document);
    }
  }

  #document(doc: string): DocumentAwareness {
    let document = this.#documents.get(doc);
    if (!document) {
      document = { local: new Map(), remote: new Map(), yielded: new Map(), sending: null };
      this.#documents.set(doc, document);
    }
    return document;
  }

  #forgetEmpty(doc: string, document: DocumentAwareness): void {
    const { local, remote, yielded, sending } = document;
    if (local.size + remote.size + yielded.size > 0 || sending) return;
    this.#documents.delete(doc);
  }
}

function isSame(one: Uint8Array | null, other: Uint8Array | null): boolean {
  if (one === null || other === null) return one === other;
  return Buffer.compare(one, other) === 0;
}
