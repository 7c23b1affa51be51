import { asBackplaneError, BackplaneError } from '../../foundation/errors.ts';
import { protocol } from '../../foundation/limits.ts';
import { type Clock, sleep, type Timer } from '../../ports/clock.ts';
import type { LogEnd } from '../../ports/store.ts';
import type { Counters } from '../counters.ts';
import type { AwarenessChange, FollowedOp, Follower, OwnerChange } from '../reports.ts';
import type { LogReader } from './log-reader.ts';

export interface FeedParts {
  readonly reader: LogReader;
  readonly clock: Clock;
  readonly counters: Counters;
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
  #replaying: Promise<void> | null = null;
  #replayAgain = false;
  #heardMs: number;
  #tailCheck: Timer | null = null;
  #closed = false;

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
    for (const op of ops) {
      if (op.seq <= this.#end.seq) this.#checkRepeated(op);
      else if (this.#waiting.size < waitingOpsMax) this.#waiting.set(op.seq, op);
    }
    this.#deliverWaiting();
    if (this.#waiting.size > 0) this.#replay('gap');
  }

  offerAwareness(changes: readonly AwarenessChange[]): void {
    for (const follower of this.#followers) follower.awareness?.(changes);
  }

  offerOwner(change: OwnerChange): void {
    for (const follower of this.#followers) follower.owner?.(change);
  }

  /** Messages may have been lost: read what the log has. */
  resume(): void {
    this.#replay('resume');
  }

  #deliverWaiting(): void {
    if (this.#waiting.size === 0) return;
    const ready: FollowedOp[] = [];
    let next = this.#end.seq + 1;
    for (let op = this.#waiting.get(next); op; op = this.#waiting.get(++next)) {
      this.#waiting.delete(next);
      ready.push(op);
    }
    const last = ready.at(-1);
    if (!last) return;
    this.#end = { seq: last.seq, chain: last.chain };
    for (const follower of this.#followers) follower.ops(ready);
  }

  #checkRepeated(op: FollowedOp): void {
    if (op.seq !== this.#end.seq || op.chain === this.#end.chain) return;
    this.#fail(rewound(this.doc, op.seq, 'holds another op there'));
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
        for (const op of page) {
          if (op.seq > this.#end.seq) this.#waiting.set(op.seq, asFollowed(this.doc, op, null));
        }
        this.#deliverWaiting();
        // What still waits below a gap that the log does not have yet was announced too early.
        if (page.length === 0) return;
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
    const known = this.#end;
    try {
      // A log that is gone altogether was put back as well.
      const end = (await this.#parts.reader.end(this.doc)) ?? { seq: 0, chain: '' };
      if (this.#closed) return;
      if (end.seq < known.seq) this.#fail(rewound(this.doc, known.seq, `ends at ${end.seq} now`));
      else if (end.seq === known.seq && end.chain !== known.chain) {
        this.#fail(rewound(this.doc, known.seq, 'holds another op there'));
      } else if (end.seq > this.#end.seq) this.#replay('gap');
    } catch {
      // The store is away; the next check will tell.
    }
  }

  #fail(error: BackplaneError): void {
    this.close();
    for (const follower of [...this.#followers]) follower.failed(error);
    this.#followers.clear();
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
