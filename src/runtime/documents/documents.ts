import { asBackplaneError, BackplaneError } from '../../foundation/errors.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import { repeat } from '../../ports/clock.ts';
import type { Leases } from '../../ports/leases.ts';
import type { Logger } from '../../ports/logger.ts';
import type { LogEnd, Store, StoredOp } from '../../ports/store.ts';
import type { Counters } from '../counters.ts';
import { takeDocument } from '../leases/take-document.ts';
import type { NodeDials } from '../node-settings.ts';
import type { SessionKeeper } from '../sessions/session-keeper.ts';
import type { SessionWatch } from '../sessions/session-watch.ts';
import type { DocumentEngine } from './document-engine.ts';
import { checkNotRewound, loadDocument } from './load-document.ts';
import { OwnedDocument } from './owned-document.ts';
import { SnapshotPolicy } from './snapshot-policy.ts';

export interface DocumentsParts {
  readonly store: Store;
  readonly leases: Leases;
  readonly keeper: SessionKeeper;
  readonly watch: SessionWatch;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly engine: DocumentEngine;
  readonly dials: NodeDials;
  announce(doc: string, ops: readonly StoredOp[]): { channel: string; payload: Uint8Array } | null;
  appended(doc: string, ops: readonly StoredOp[]): void;
  ownerChanged(doc: string, session: string, epoch: number, change: 'owned' | 'released'): void;
}

/** An owned document as an operator sees it. */
export interface RecentDocument {
  readonly doc: string;
  readonly epoch: number;
  readonly seq: number;
  /** Ops that wait for the store. */
  readonly waiting: number;
  readonly usedAgoMs: number;
}

const endsKnownMax = 65_536;
/** Between two looks for what is due: so late a document is closed, or a snapshot saved, at most. */
const lookMsMin = 1_000;
const lookShare = 1 / 50;

/**
 * The documents this node owns. They are kept in the order of their last use, so closing the idle
 * ones looks only at the first few, however many there are.
 */
export class Documents {
  readonly #parts: DocumentsParts;
  readonly #open = new Map<string, { document: OwnedDocument; usedMs: number }>();
  readonly #opening = new Map<string, Promise<OwnedDocument>>();
  readonly #closing = new Map<string, Promise<void>>();
  readonly #quarantined = new Map<string, BackplaneError>();
  /** Where logs ended when we last knew, to notice one that was put back. */
  readonly #endsKnown = new Map<string, LogEnd>();
  readonly #snapshots: SnapshotPolicy;
  #timer: Timer | null = null;
  #draining = false;

  constructor(parts: DocumentsParts) {
    this.#parts = parts;
    this.#snapshots = new SnapshotPolicy(parts);
  }

  start(): void {
    this.#draining = false;
    const { clock, dials } = this.#parts;
    const periodMs = Math.min(dials.idleDocumentMs, dials.snapshotMs);
    const pauseMs = Math.max(lookMsMin, periodMs * lookShare);
    this.#timer = repeat(
      clock,
      () => pauseMs,
      () => this.#closeIdle(),
    );
  }

  stop(): void {
    this.#timer?.cancel();
  }

  get size(): number {
    return this.#open.size;
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** The documents used last, the latest first, of those whose name contains a text. */
  recent(contains: string, limit: number): { matching: number; rows: RecentDocument[] } {
    // The map is in the order of last use, and knows no way back: its end is kept in a ring.
    const ring: { document: OwnedDocument; usedMs: number }[] = [];
    let matching = 0;
    for (const [doc, entry] of this.#open) {
      if (contains !== '' && !doc.includes(contains)) continue;
      if (limit > 0) ring[matching % limit] = entry;
      matching += 1;
    }
    const nowMs = this.#parts.clock.monotonicMs();
    const rows = ring
      .map(({ document, usedMs }) => ({
        doc: document.doc,
        epoch: document.epoch,
        seq: document.memory.end.seq,
        waiting: document.waiting,
        usedAgoMs: Math.round(nowMs - usedMs),
      }))
      .sort((a, b) => a.usedAgoMs - b.usedAgoMs);
    return { matching, rows };
  }

  names(): Iterable<string> {
    return this.#open.keys();
  }

  /** The document if it is ours and open; using it keeps it open. */
  get(doc: string): OwnedDocument | null {
    const entry = this.#open.get(doc);
    if (!entry) return null;
    entry.usedMs = this.#parts.clock.monotonicMs();
    this.#open.delete(doc);
    this.#open.set(doc, entry);
    return entry.document;
  }

  /**
   * The document, becoming its owner if need be; throws LEASE_HELD, LEASE_UNCERTAIN, DRAINING,
   * LOG_REWOUND.
   */
  async own(doc: string): Promise<OwnedDocument> {
    const closing = this.#closing.get(doc);
    if (closing) await closing.catch(() => {});
    const document = this.get(doc) ?? (await this.#opened(doc));
    this.#requireSession(document.session);
    return document;
  }

  #opened(doc: string): Promise<OwnedDocument> {
    let opening = this.#opening.get(doc);
    if (!opening) {
      opening = this.#take(doc).finally(() => this.#opening.delete(doc));
      this.#opening.set(doc, opening);
    }
    return opening;
  }

  async #take(doc: string): Promise<OwnedDocument> {
    const quarantined = this.#quarantined.get(doc);
    if (quarantined) throw quarantined;
    if (this.#draining) {
      await this.#passOn(doc);
      throw new BackplaneError('DRAINING', 'this node is stopping');
    }
    const { store, engine, counters } = this.#parts;
    const taken = await takeDocument(this.#parts, doc);
    try {
      checkNotRewound(this.#endsKnown.get(doc), taken.head);
      const memory = await loadDocument(store, engine, taken.head, taken.snapshot);
      const { session } = taken;
      // Not just any session: what hung on a lost one was dropped while this was loading.
      this.#requireSession(session);
      const document = new OwnedDocument(this.#documentParts(), {
        doc,
        session,
        epoch: taken.head.epoch,
        memory,
      });
      this.#open.set(doc, { document, usedMs: this.#parts.clock.monotonicMs() });
      this.#snapshots.opened(document, taken.head);
      counters.add('documents_acquired_total');
      this.#parts.ownerChanged(doc, session, document.epoch, 'owned');
      return document;
    } catch (thrown) {
      const error = asBackplaneError(thrown);
      if (error.code === 'LOG_REWOUND') this.#quarantine(doc, error);
      throw error;
    }
  }

  /**
   * The directory still names us: another node handed the document over before it knew that we are
   * stopping, too, or our own release failed. Unless we free it, nobody can have it while we live.
   */
  async #passOn(doc: string): Promise<void> {
    const { leases, keeper } = this.#parts;
    const record = await leases.read(doc);
    if (!record || record.session !== keeper.id()) return;
    const { session, head } = await takeDocument(this.#parts, doc);
    await leases.release(doc, session, head.epoch, null);
  }

  #documentParts() {
    return {
      store: this.#parts.store,
      engine: this.#parts.engine,
      wallMs: () => this.#parts.clock.wallMs(),
      requireSession: (session: string) => this.#requireSession(session),
      announce: this.#parts.announce,
      appended: (document: OwnedDocument, ops: readonly StoredOp[]) => {
        this.#parts.counters.add('appends_total');
        this.#parts.counters.add('ops_appended_total', ops.length);
        this.#parts.appended(document.doc, ops);
        // An append may be answered when the document is no longer ours to look after.
        const isOpen = this.#open.get(document.doc)?.document === document;
        if (isOpen) this.#snapshots.appended(document, ops.length);
      },
      lost: (document: OwnedDocument, error: BackplaneError) => this.#lost(document, error),
    };
  }

  #requireSession(session: string): void {
    const { keeper } = this.#parts;
    if (keeper.isValid(session)) return;
    if (keeper.id() === session) keeper.makeSure();
    throw new BackplaneError('LEASE_UNCERTAIN', 'this node cannot prove that its session is alive');
  }

  #lost(document: OwnedDocument, error: BackplaneError): void {
    const { counters, logger, keeper } = this.#parts;
    this.#forget(document);
    const { doc, epoch } = document;
    counters.add('documents_lost_total');
    counters.add(
      error.certainty === 'definite' ? 'appends_refused_total' : 'appends_ambiguous_total',
    );
    logger.event('warn', 'document.lost', { doc, epoch, code: error.code, message: error.message });
    if (error.code === 'LOG_REWOUND') this.#quarantine(doc, error);
    if (error.code === 'FENCED') keeper.doubt();
  }

  #quarantine(doc: string, error: BackplaneError): void {
    this.#quarantined.set(doc, error);
    this.#parts.counters.add('documents_quarantined_total');
    this.#parts.logger.event('error', 'document.quarantined', { doc, ...error.facts });
  }

  #forget(document: OwnedDocument): void {
    if (this.#open.get(document.doc)?.document === document) this.#open.delete(document.doc);
    this.#snapshots.closed(document);
    this.#rememberEnd(document.doc, document.memory.end);
  }

  #rememberEnd(doc: string, end: LogEnd): void {
    this.#endsKnown.delete(doc);
    this.#endsKnown.set(doc, end);
    if (this.#endsKnown.size <= endsKnownMax) return;
    const [oldest] = this.#endsKnown.keys();
    if (oldest !== undefined) this.#endsKnown.delete(oldest);
  }

  /** The session is over: everything that hung on it is no longer ours. Waits for nothing. */
  dropAll(session: string): void {
    const error = new BackplaneError('SESSION_LOST', `the session ${session} has ended`);
    for (const { document } of [...this.#open.values()]) {
      this.#forget(document);
      document.end(error);
    }
  }

  /** Drains, forgets locally, and only then releases: never the other way round. */
  release(doc: string, successor: string | null): Promise<void> {
    const closing = this.#closing.get(doc);
    if (closing) return closing;
    const entry = this.#open.get(doc);
    if (!entry) throw new BackplaneError('NOT_OWNER', `this node does not own "${doc}"`);
    const released = this.#release(entry.document, successor).finally(() => {
      this.#closing.delete(doc);
    });
    this.#closing.set(doc, released);
    return released;
  }

  async #release(document: OwnedDocument, successor: string | null): Promise<void> {
    await document.drain();
    await this.#snapshots.saveIfWorthIt(document);
    this.#forget(document);
    document.end(new BackplaneError('NOT_OWNER', `"${document.doc}" was handed over`));
    const { doc, session, epoch } = document;
    await this.#parts.leases.release(doc, session, epoch, successor, 'living');
    this.#parts.ownerChanged(doc, session, epoch, 'released');
  }

  /** Hands every document to one of the successors in turn; releases it when there is none. */
  async drain(successors: readonly string[], concurrency: number): Promise<number> {
    this.#draining = true;
    await Promise.allSettled(this.#opening.values());
    const names = [...this.#open.keys()];
    let next = 0;
    const work = async () => {
      for (let index = next++; index < names.length; index = next++) {
        const doc = names[index] as string;
        const successor = successors[index % Math.max(1, successors.length)] ?? null;
        if (!this.#open.has(doc)) continue;
        await this.release(doc, successor).catch((error) => {
          const { code, message } = asBackplaneError(error);
          this.#parts.logger.event('warn', 'document.release-failed', { doc, code, message });
        });
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    return names.length;
  }

  async #closeIdle(): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs();
    const { idleDocumentMs } = this.#parts.dials;
    const idle: string[] = [];
    for (const [doc, { document, usedMs }] of this.#open) {
      if (nowMs - usedMs < idleDocumentMs || idle.length >= 256) break;
      if (document.isIdle && !this.#closing.has(doc)) idle.push(doc);
    }
    await Promise.all(
      idle.map((doc) =>
        this.release(doc, null).catch((error) => {
          const { code, message } = asBackplaneError(error);
          this.#parts.logger.event('warn', 'document.release-failed', { doc, code, message });
        }),
      ),
    );
    await this.#snapshots.saveDue();
  }
}
