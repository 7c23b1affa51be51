import {
  asBackplaneError,
  type BackplaneError,
  isBackplaneError,
} from '../../foundation/errors.ts';
import { sleep } from '../../ports/clock.ts';
import type { Leases } from '../../ports/leases.ts';
import { describeLease, type LeaseDescription } from '../inspect/describe-lease.ts';
import { DocumentTail, type DocumentTailParts, readLogEnd } from '../inspect/document-tail.ts';
import type { TailLine } from '../inspect/tail-line.ts';
import { TailQueue } from '../inspect/tail-queue.ts';

export interface DocumentWatchParts extends DocumentTailParts {
  readonly leases: Leases;
}

/** A document as somebody sees who began to look a while ago. */
export interface DocumentPicture {
  readonly doc: string;
  readonly seq: number;
  /** Null when nobody owns it. */
  readonly lease: LeaseDescription | null;
  /** The latest last. */
  readonly lines: readonly TailLine[];
  readonly peers: readonly PeerPicture[];
  /** The latest first, as far as the log that was read reaches back. */
  readonly owners: readonly OwnerPicture[];
  /** Why the tail has ended; null while it runs. */
  readonly failure: string | null;
}

export interface PeerPicture {
  readonly peer: string;
  /** Ops seen while watching, and in the log that was read at first. */
  readonly ops: number;
  readonly lastSeq: number | null;
  readonly lastAt: string | null;
  /** Its awareness now; null when it has none. */
  readonly awareness: unknown;
  readonly isAware: boolean;
}

export interface OwnerPicture {
  readonly epoch: number;
  /** Null for one whose ops were only read from the log, which does not keep it. */
  readonly nodeId: string | null;
  /** The first op seen of this epoch; null before it has one. */
  readonly fromSeq: number | null;
  readonly since: string | null;
}

const opsReadFirst = 200;
const drainMs = 250;
const linesKept = 500;
const peersKept = 1_000;
const ownersKept = 50;

/**
 * Follows one document for a person: the end of its log, then what comes; who takes part, who
 * owned it. Memory is bounded. Acquires nothing. Looking costs two broker commands; the tail costs
 * a subscription and what a follower's tail check costs.
 */
export class DocumentWatch {
  readonly #parts: DocumentWatchParts;
  readonly #doc: string;
  readonly #queue = new TailQueue();
  readonly #tail: DocumentTail;
  readonly #peers = new Map<string, PeerPicture>();
  readonly #owners = new Map<number, OwnerPicture>();
  #lines: TailLine[] = [];
  #seq = 0;
  #failure: BackplaneError | null = null;
  #isStopped = false;

  constructor(parts: DocumentWatchParts, doc: string) {
    this.#parts = parts;
    this.#doc = doc;
    this.#tail = new DocumentTail(parts, doc, this.#queue);
  }

  /** Begins to follow; a failure is part of the next picture. */
  async start(): Promise<void> {
    try {
      const end = await readLogEnd(this.#parts, this.#doc);
      if (this.#isStopped) return;
      this.#tail.start(Math.max(0, (end?.seq ?? 0) - opsReadFirst));
      void this.#awaitFailure();
    } catch (thrown) {
      this.#failure = asBackplaneError(thrown);
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#queue.end(null);
    await this.#tail.stop();
  }

  /** Throws what makes the lease unreadable: BACKPLANE_UNREACHABLE, BACKPLANE_LOST. */
  async look(): Promise<DocumentPicture> {
    const lease = await this.#lease();
    for (let line = this.#queue.take(); line !== null; line = this.#queue.take()) this.#note(line);
    if (this.#lines.length > linesKept) this.#lines = this.#lines.slice(-linesKept);
    if (lease) this.#noteOwner(lease.epoch, { nodeId: lease.nodeId });
    return {
      doc: this.#doc,
      seq: this.#seq,
      lease,
      lines: [...this.#lines],
      peers: [...this.#peers.values()],
      owners: [...this.#owners.values()].sort((a, b) => b.epoch - a.epoch),
      failure: this.#failure?.message ?? null,
    };
  }

  async #lease(): Promise<LeaseDescription | null> {
    try {
      return await describeLease(this.#parts, this.#doc);
    } catch (error) {
      if (isBackplaneError(error, 'LEASE_UNKNOWN')) return null;
      throw error;
    }
  }

  async #awaitFailure(): Promise<void> {
    try {
      // Wakes for every line, which `look` then takes; only the end is of interest here.
      while (await this.#queue.ready()) await sleep(this.#parts.clock, drainMs);
    } catch (thrown) {
      this.#failure = asBackplaneError(thrown);
    }
  }

  #note(line: TailLine): void {
    this.#lines.push(line);
    if (line.seq !== null) this.#seq = Math.max(this.#seq, line.seq);
    if (line.type === 'op') this.#noteOp(line);
    else if (line.type === 'awareness') this.#noteAwareness(line);
    else if (line.type === 'lease' && line.epoch !== null && ownedIn(line)) {
      this.#noteOwner(line.epoch, { nodeId: line.nodeId, since: line.at });
    }
  }

  #noteOp(line: TailLine): void {
    if (line.peer !== null) {
      const known = this.#peer(line.peer);
      this.#setPeer({ ...known, ops: known.ops + 1, lastSeq: line.seq, lastAt: line.at });
    }
    if (line.epoch !== null) {
      this.#noteOwner(line.epoch, { nodeId: line.nodeId, fromSeq: line.seq, since: line.at });
    }
  }

  #noteAwareness({ peer, payload, encoding, at }: TailLine): void {
    if (peer === null) return;
    this.#setPeer({
      ...this.#peer(peer),
      awareness: payload,
      isAware: encoding !== null,
      lastAt: at,
    });
  }

  #peer(peer: string): PeerPicture {
    const unknown = { ops: 0, lastSeq: null, lastAt: null, awareness: null, isAware: false };
    return this.#peers.get(peer) ?? { peer, ...unknown };
  }

  /** The one heard of last is the last. */
  #setPeer(picture: PeerPicture): void {
    this.#peers.delete(picture.peer);
    this.#peers.set(picture.peer, picture);
    forgetOldest(this.#peers, peersKept);
  }

  #noteOwner(epoch: number, news: Partial<OwnerPicture>): void {
    const known = this.#owners.get(epoch);
    this.#owners.set(epoch, {
      epoch,
      nodeId: known?.nodeId ?? news.nodeId ?? null,
      fromSeq: known?.fromSeq ?? news.fromSeq ?? null,
      since: known?.since ?? news.since ?? null,
    });
    forgetOldest(this.#owners, ownersKept);
  }
}

function ownedIn({ payload }: TailLine): boolean {
  return (payload as { change?: unknown } | null)?.change === 'owned';
}

function forgetOldest<Key>(map: Map<Key, unknown>, sizeMax: number): void {
  if (map.size <= sizeMax) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
