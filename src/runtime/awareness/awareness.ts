import { BackplaneError } from '../../foundation/errors.ts';
import { limits } from '../../foundation/limits.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import { repeat } from '../../ports/clock.ts';
import { documentChannel } from '../channels.ts';
import type { Counters } from '../counters.ts';
import { noPayload } from '../frames.ts';
import type { Outbox } from '../outbox.ts';
import type { AwarenessChange } from '../reports.ts';

export interface AwarenessParts {
  readonly nodeId: string;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly ttlMs: number;
  readonly ratePerSecond: number;
  /** Tells the followers of the document in this process. */
  deliver(doc: string, changes: readonly AwarenessChange[]): void;
}

interface LocalPeer {
  clock: number;
  state: Uint8Array | null;
  /** Changed since it was last sent. */
  dirty: boolean;
  sentMs: number;
}

interface RemotePeer {
  clock: number;
  /** Null remembers that it went, or a state that was overtaken would bring it back. */
  state: Uint8Array | null;
  expiresMs: number;
}

interface DocumentAwareness {
  readonly local: Map<string, LocalPeer>;
  readonly remote: Map<string, RemotePeer>;
  sending: Timer | null;
}

/**
 * Cursors and the like: the latest state of a peer wins, is never stored, and is forgotten when
 * its node goes silent. Changes are coalesced: at most so many broadcasts a second per document
 * and peer, and the last state always goes out. A state that has not changed is only repeated to
 * keep it alive, after half its time-to-live.
 */
export class Awareness {
  readonly #parts: AwarenessParts;
  readonly #documents = new Map<string, DocumentAwareness>();
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
    let local = document.local.get(peer);
    if (!local) {
      if (state === null) return;
      if (document.local.size >= limits.awarenessPeersMax) {
        throw new BackplaneError('OVERLOADED', `"${doc}" has too many peers with awareness`);
      }
      // Starting from the wall clock, a peer that comes back through another node outbids itself.
      local = {
        clock: Math.floor(this.#parts.clock.wallMs()),
        state: null,
        dirty: false,
        sentMs: 0,
      };
      local.sentMs = Number.NEGATIVE_INFINITY;
      document.local.set(peer, local);
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

  heard(doc: string, changes: readonly AwarenessChange[], nodeId: string): void {
    if (nodeId === this.#parts.nodeId) return;
    const document = this.#document(doc);
    const news = changes.filter((change) => this.#accept(document, change));
    if (news.length > 0) this.#parts.deliver(doc, news);
  }

  heardQuery(doc: string, nodeId: string): void {
    const document = this.#documents.get(doc);
    if (!document || nodeId === this.#parts.nodeId) return;
    for (const local of document.local.values()) local.dirty = true;
    this.#send(doc, document);
  }

  /** The first follower came, and wants to know who else is there. */
  query(doc: string): void {
    const { outbox, nodeId } = this.#parts;
    outbox
      .send(documentChannel(doc), { kind: 'awareness-query', doc, nodeId, payload: noPayload })
      .catch(() => {});
  }

  #accept(document: DocumentAwareness, change: AwarenessChange): boolean {
    const { peer, clock, state } = change;
    const known = document.remote.get(peer);
    if (known && clock < known.clock) return false;
    const isNews = known ? clock > known.clock : state !== null;
    if (!known && document.remote.size >= limits.awarenessPeersMax) return false;
    const expiresMs = this.#parts.clock.monotonicMs() + this.#parts.ttlMs;
    document.remote.set(peer, { clock, state, expiresMs });
    return isNews;
  }

  /** Sends what is due now, and arms a timer for what the rate holds back. */
  #send(doc: string, document: DocumentAwareness): void {
    if (document.sending) return;
    const { clock, ratePerSecond, counters, outbox, nodeId } = this.#parts;
    const intervalMs = 1_000 / ratePerSecond;
    const nowMs = clock.monotonicMs();
    const due: [string, LocalPeer][] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [peer, local] of document.local) {
      if (!local.dirty) continue;
      if (nowMs - local.sentMs >= intervalMs) due.push([peer, local]);
      else nextMs = Math.min(nextMs, local.sentMs + intervalMs);
    }
    if (due.length > 0) {
      const changes = due.map(([peer, { clock: version, state }]) => {
        return { peer, clock: version, length: state?.length ?? null };
      });
      const payload = Buffer.concat(due.map(([, { state }]) => state ?? noPayload));
      for (const [peer, local] of due) {
        local.dirty = false;
        local.sentMs = nowMs;
        if (local.state === null) document.local.delete(peer);
      }
      counters.add('awareness_sent_total', changes.length);
      const frame = { kind: 'awareness', doc, nodeId, changes, payload } as const;
      outbox.send(documentChannel(doc), frame).catch(() => {});
    }
    if (nextMs === Number.POSITIVE_INFINITY) return this.#forgetEmpty(doc, document);
    document.sending = clock.after(nextMs - nowMs, () => {
      document.sending = null;
      this.#send(doc, document);
    });
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
      this.#forgetEmpty(doc, document);
    }
  }

  #document(doc: string): DocumentAwareness {
    let document = this.#documents.get(doc);
    if (!document) {
      document = { local: new Map(), remote: new Map(), sending: null };
      this.#documents.set(doc, document);
    }
    return document;
  }

  #forgetEmpty(doc: string, document: DocumentAwareness): void {
    if (document.local.size + document.remote.size > 0 || document.sending) return;
    this.#documents.delete(doc);
  }
}

function isSame(one: Uint8Array | null, other: Uint8Array | null): boolean {
  if (one === null || other === null) return one === other;
  return Buffer.compare(one, other) === 0;
}
