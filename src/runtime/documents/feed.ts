import { asBackplaneError, BackplaneError } from '../../foundation/errors.ts';
import { protocol } from '../../foundation/limits.ts';
import { type Clock, sleep, type Timer } from '../../ports/clock.ts';
import type { LogEnd } from '../../ports/store.ts';
import type { Counters } from '../counters.ts';
import type { AwarenessChange, FollowedOp, Follower, OwnerChange } from '../reports.ts';
import { extendChain } from './chain.ts';
import type { LogReader } from './log-reader.ts';

export interface FeedParts {
  readonly reader: LogReader;
  readonly clock: Clock;
  readonly counters: Counters;
  /** The feed has ended by itself, and its followers were told why. */
  failed(feed: Feed): void;
}

const replayPausesMs = [20, 100, 400, 1_000];
/** Ops that may wait while a gap is replayed; beyond it they are read from the log again. */
const waitingOpsMax = 4_096;

/**
 * The ops of one document as this process hears them, put right: each once, in order, without a
 * gap. The bus may lose, repeat or delay anything; the log is the truth, and is read whenever the
 * next op is not the one expected, after every interruption, and now and then in silence, because
 * nothing else notices that the *last* message was lost.
 */
export class Feed {
  readonly doc: string;
  readonly #parts: FeedParts;
  readonly #followers = new Set<Follower>();
  #end: LogEnd;
  #waiting = new Map<number, FollowedOp>();
  /** Seqs where ops of two origins meet: only there can two histories have been joined. */
  readonly #seams = new Set<number>();
  /** Something heard contradicts what was delivered: the log is to say which is true. */
  #doubted = false;
  #replaying: Promise<void> | null = null;
  #replayAgain = false;
  #heardMs: number;
  #tailCheck: Timer | null = null;
  #closed = false;
  #failure: BackplaneError | null = null;

  constructor(parts: FeedParts, doc: string, end: LogEnd) {
    this.#parts = parts;
    this.doc = doc;
    this.#end = end;
    this.#heardMs = parts.clock.monotonicMs();
    this.#armTailCheck();
  }

  get end(): LogEnd {
    return this.#end;
  }

  get followers(): number {
    return this.#followers.size;
  }

  /** The follower must have every op up to `end`; from here on it gets the next ones. */
  attach(follower: Follower): void {
    if (this.#failure) throw this.#failure;
    this.#followers.add(follower);
  }

  detach(follower: Follower): void {
    this.#followers.delete(follower);
  }

  close(): void {
    this.#closed = true;
    this.#tailCheck?.cancel();
  }

  /** Ops heard from the bus or from the owner in this process, in any order. */
  offer(ops: readonly FollowedOp[]): void {
    if (this.#closed) return;
    this.#heardMs = this.#parts.clock.monotonicMs();
    for (const op of ops) if (op.seq === this.#end.seq) this.#checkRepeated(op);
    this.#keepWaiting(ops.slice(0, Math.max(0, waitingOpsMax - this.#waiting.size)));
    this.#deliverWaiting();
    if (this.#waiting.size > 0) this.#replay('gap');
    else if (this.#doubted) this.#replay('resume');
  }

  offerAwareness(changes: readonly AwarenessChange[]): void {
    this.#tell((follower) => follower.awareness?.(changes));
  }

  offerOwner(change: OwnerChange): void {
    this.#tell((follower) => follower.owner?.(change));
  }

  /** Messages may have been lost: read what the log has. */
  resume(): void {
    this.#replay('resume');
  }

  /** Ops of one origin, which follow each other. */
  #keepWaiting(ops: readonly FollowedOp[]): void {
    const fresh = ops.filter(({ seq }) => seq > this.#end.seq);
    const [first, last] = [fresh.at(0), fresh.at(-1)];
    if (!first || !last) return;
    for (const op of fresh) this.#waiting.set(op.seq, op);
    this.#seams.add(first.seq).add(last.seq + 1);
  }

  #deliverWaiting(): void {
    const ready: FollowedOp[] = [];
    let end = this.#end;
    let next = this.#waiting.get(end.seq + 1);
    while (next && this.#joins(end, next)) {
      this.#waiting.delete(next.seq);
      ready.push(next);
      end = { seq: next.seq, chain: next.chain };
      next = this.#waiting.get(end.seq + 1);
    }
    this.#end = end;
    if (ready.length > 0) this.#tell((follower) => follower.ops(ready));
    if (next) this.#refuse(next);
  }

  #joins(end: LogEnd, next: FollowedOp): boolean {
    return !this.#seams.delete(next.seq) || extendChain(end.chain, next) === next.chain;
  }

  /** What the bus says is checked with the log; what the log says is so. */
  #refuse(op: FollowedOp): void {
    if (op.nodeId === null)
      return this.#fail(rewound(this.doc, op.seq - 1, 'has another before it'));
    this.#doubted = true;
    this.#waiting.clear();
    this.#seams.clear();
  }

  #checkRepeated(op: FollowedOp): void {
    if (op.chain !== this.#end.chain) this.#doubted = true;
  }

  /** A follower that throws is the application's bug: it is out, and the others go on. */
  #tell(say: (follower: Follower) => void): void {
    for (const follower of [...this.#followers]) {
      try {
        say(follower);
      } catch (thrown) {
        this.#followers.delete(follower);
        sayFailed(follower, thrown);
      }
    }
  }

  #replay(why: 'gap' | 'resume'): void {
    if (this.#closed) return;
    if (this.#replaying) {
      this.#replayAgain = true;
      return;
    }
    if (why === 'gap') this.#parts.counters.add('gaps_replayed_total');
    this.#replaying = this.#readOn().finally(() => {
      this.#replaying = null;
      if (!this.#replayAgain) return;
      this.#replayAgain = false;
      this.#replay('resume');
    });
  }

  async #readOn(): Promise<void> {
    for (let attempt = 0; !this.#closed; ) {
      try {
        const page = await this.#parts.reader.read(this.doc, this.#end.seq);
        if (this.#closed) return;
        const known = this.#end.seq;
        this.#keepWaiting(page.map((op) => asFollowed(this.doc, op, null)));
        this.#deliverWaiting();
        // What still waits below a gap that the log does not have yet was announced too early.
        if (page.length === 0) return await this.#compareWithLog();
        const hasMore = page.some(({ seq }) => seq > known);
        if (hasMore && this.#end.seq === known)
          this.#fail(rewound(this.doc, known, 'breaks there'));
        attempt = 0;
      } catch (error) {
        if (asBackplaneError(error).code === 'CLOSED') return;
        const pauseMs = replayPausesMs[Math.min(attempt++, replayPausesMs.length - 1)] ?? 1_000;
        await sleep(this.#parts.clock, pauseMs);
      }
    }
  }

  #armTailCheck(): void {
    this.#tailCheck = this.#parts.clock.after(protocol.tailCheckMs, async () => {
      await this.#checkTail();
      if (!this.#closed) this.#armTailCheck();
    });
  }

  async #checkTail(): Promise<void> {
    const quietMs = this.#parts.clock.monotonicMs() - this.#heardMs;
    if (quietMs < protocol.tailCheckMs || this.#replaying) return;
    this.#doubted = true;
    try {
      await this.#compareWithLog();
    } catch {
      // The store is away; the next check will tell.
    }
  }

  /** Is the log still the one whose ops were delivered here? */
  async #compareWithLog(): Promise<void> {
    if (!this.#doubted) return;
    const known = this.#end;
    // A log that is gone altogether was put back as well.
    const end = (await this.#parts.reader.end(this.doc)) ?? { seq: 0, chain: '' };
    if (this.#closed) return;
    this.#doubted = false;
    if (end.seq < known.seq) return this.#fail(rewound(this.doc, known.seq, `ends at ${end.seq}`));
    if (end.seq > this.#end.seq) return this.#replay('gap');
    if (end.seq === known.seq && end.chain !== known.chain) {
      this.#fail(rewound(this.doc, known.seq, 'holds another op there'));
    }
  }

  #fail(error: BackplaneError): void {
    this.close();
    this.#failure = error;
    const told = [...this.#followers];
    this.#followers.clear();
    this.#parts.failed(this);
    for (const follower of told) sayFailed(follower, error);
  }
}

function sayFailed(follower: Follower, thrown: unknown): void {
  try {
    follower.failed(thrown instanceof Error ? thrown : new Error(String(thrown)));
  } catch {
    // It was told; what it makes of that is its own affair.
  }
}

export function asFollowed(
  doc: string,
  op: Omit<FollowedOp, 'doc' | 'nodeId'>,
  nodeId: string | null,
): FollowedOp {
  const { seq, epoch, peer, counter, at, chain, payload } = op;
  return { doc, seq, epoch, peer, counter, at, chain, payload, nodeId };
}

function rewound(doc: string, seq: number, found: string): BackplaneError {
  return new BackplaneError(
    'LOG_REWOUND',
    `op ${seq} of "${doc}" was delivered here, but its log ${found}`,
    { facts: { known: seq } },
  );
}
