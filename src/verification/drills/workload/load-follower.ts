import type { BackplaneClient, DocumentHandle } from '../../../client/index.ts';
import { asBackplaneError, type BackplaneError } from '../../../foundation/errors.ts';
import type { Timer } from '../../../ports/clock.ts';
import { FollowerAwareness } from './follower-awareness.ts';
import type { LoadSite } from './load-site.ts';

export interface FollowerParts {
  readonly doc: string;
  /** The name of the peer, which follows other documents as well. */
  readonly peer: string;
  readonly client: BackplaneClient;
  readonly site: LoadSite;
}

/** A document that was lost is opened again after this long. */
const reopenMs = 1_000;

/**
 * One document as one peer of the load follows and changes it, and all it was told, in the history.
 * When the client gives the document up, it begins a new life, as another subscriber.
 */
export class LoadFollower {
  readonly doc: string;
  readonly #parts: FollowerParts;
  #handle: DocumentHandle | null = null;
  #awareness: FollowerAwareness | null = null;
  #lives = 0;
  /** This life has begun to follow. */
  #isSubscribed = false;
  /** It follows at this moment. */
  #isJoined = false;
  #isClosed = false;
  #seq = 0;
  #reopening: Timer | null = null;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.doc = parts.doc;
  }

  /** `peer-3`, and `peer-3.2` when it begins its second life. */
  get subscriber(): string {
    const { peer } = this.#parts;
    return this.#lives > 1 ? `${peer}.${this.#lives}` : peer;
  }

  get isJoined(): boolean {
    return this.#isJoined;
  }

  /** The last op it heard of; null before it follows. */
  get seq(): number | null {
    return this.#isSubscribed ? this.#seq : null;
  }

  /** Throws when the client has failed for good. */
  open(): void {
    const { client, site } = this.#parts;
    const handle = client.open(this.doc);
    this.#lives += 1;
    this.#handle = handle;
    this.#awareness = new FollowerAwareness(handle, client, this.subscriber, site);
    handle.on('joined', ({ seq }) => this.#joined(seq));
    handle.on('op', ({ seq, opId, epoch }) => {
      this.#seq = seq;
      site.counts.deliveries += 1;
      const { subscriber, doc } = this;
      site.recorder.record({ ev: 'deliver', subscriber, doc, seq, opId, epoch });
    });
    handle.on('lost', (error) => this.#lost(error));
  }

  /** In the history an op that goes on under another id is refused under the first one. */
  send(payload: unknown): void {
    const { counts, clock } = this.#parts.site;
    if (this.#handle === null) {
      counts.skipped += 1;
      return;
    }
    const sentMs = clock.monotonicMs();
    let opId: string | null = null;
    const named = (next: string) => {
      if (opId === null) counts.sent += 1;
      else this.#fail(opId, 'RENAMED', 'definite');
      opId = next;
      this.#parts.site.recorder.record({ ev: 'op.invoke', doc: this.doc, opId });
    };
    counts.underWay += 1;
    this.#handle.send(payload, { named }).then(
      (ack) => this.#acknowledged(ack.opId, ack.seq, sentMs),
      (thrown) => {
        const { code, certainty } = asBackplaneError(thrown);
        counts.underWay -= 1;
        if (opId === null) counts.skipped += 1;
        else {
          if (certainty === 'definite') counts.failed += 1;
          else counts.doubtful += 1;
          this.#fail(opId, code, certainty);
        }
        this.#awareness?.followPeer();
      },
    );
  }

  /** Asks whoever owns the document for a sign of life. */
  async request(id: string): Promise<void> {
    const { recorder, counts, clock, requestTimeoutMs: timeoutMs } = this.#parts.site;
    if (this.#handle === null) return;
    const dueMs = clock.monotonicMs() + timeoutMs;
    recorder.record({ ev: 'request.send', id, timeoutMs });
    counts.requestsSent += 1;
    counts.requestsUnderWay += 1;
    try {
      const pong = await this.#handle.rpc('ping', { request: id }, { timeoutMs });
      this.#served(id, pong);
      counts.requestsAnswered += 1;
      this.#requestEnded(id, dueMs, null);
    } catch (thrown) {
      counts.requestsFailed += 1;
      this.#requestEnded(id, dueMs, asBackplaneError(thrown).code);
    } finally {
      counts.requestsUnderWay -= 1;
    }
  }

  setAwareness(): void {
    this.#awareness?.set();
  }

  /** What it sees of the others, and of itself; nothing while it does not follow. */
  recordView(): void {
    if (this.#isJoined) this.#awareness?.recordView();
  }

  /** The connection is there again; whether the node lets it join is to be seen. */
  lineUp(): void {
    this.#awareness?.restore();
  }

  lineDown(): void {
    if (this.#isClosed) return;
    this.#isJoined = false;
    this.#awareness?.lose();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reopening?.cancel();
    this.#unsubscribe();
    const handle = this.#handle;
    this.#handle = null;
    handle?.close();
  }

  #joined(seq: number): void {
    this.#isJoined = true;
    if (this.#isSubscribed) return;
    this.#isSubscribed = true;
    this.#seq = seq;
    const { subscriber, doc } = this;
    this.#parts.site.recorder.record({ ev: 'subscribe', subscriber, doc, after: seq });
  }

  #lost(error: BackplaneError): void {
    if (this.#isClosed) return;
    const { recorder, clock } = this.#parts.site;
    const { subscriber, doc } = this;
    recorder.record({ ev: 'note', text: `${subscriber} lost ${doc}: ${error.code}` });
    this.#unsubscribe();
    this.#awareness?.lose();
    this.#handle = null;
    this.#awareness = null;
    this.#reopening = clock.after(reopenMs, () => this.#reopen());
  }

  #reopen(): void {
    // A client that failed for good opens nothing any more.
    if (this.#parts.client.error === null) this.open();
  }

  #unsubscribe(): void {
    const { subscriber, doc } = this;
    if (this.#isSubscribed) {
      this.#parts.site.recorder.record({ ev: 'unsubscribe', subscriber, doc });
    }
    this.#isSubscribed = false;
    this.#isJoined = false;
  }

  #acknowledged(opId: string, seq: number, sentMs: number): void {
    const { recorder, counts, clock } = this.#parts.site;
    recorder.record({ ev: 'op.ok', doc: this.doc, opId, seq });
    const nowMs = clock.monotonicMs();
    counts.underWay -= 1;
    counts.acknowledged += 1;
    counts.recent.add(nowMs, nowMs - sentMs);
  }

  #fail(opId: string, code: string, certainty: 'definite' | 'indefinite'): void {
    this.#parts.site.recorder.record({ ev: 'op.fail', doc: this.doc, opId, code, certainty });
  }

  /** An owner that could not be sure of its lease any more says no epoch. */
  #served(request: string, pong: unknown): void {
    const { session, epoch } = (pong ?? {}) as { session?: unknown; epoch?: unknown };
    if (typeof session !== 'string' || typeof epoch !== 'number') return;
    this.#parts.site.recorder.record({ ev: 'serve', doc: this.doc, session, epoch, request });
  }

  /** Too late because this very process stood still is nothing that anybody was told. */
  #requestEnded(id: string, dueMs: number, code: string | null): void {
    const { recorder, clock, standstill } = this.#parts.site;
    const nowMs = clock.monotonicMs();
    const known = code === null ? 'ok' : 'failed';
    const outcome = standstill.excuses(dueMs, nowMs) ? 'unknown' : known;
    recorder.record({ ev: 'request.end', id, outcome, code });
  }
}
