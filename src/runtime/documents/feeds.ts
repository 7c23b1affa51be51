import { BackplaneError } from '../../foundation/errors.ts';
import { protocol } from '../../foundation/limits.ts';
import type { Bus, Subscription } from '../../ports/bus.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import { documentChannel } from '../channels.ts';
import type { Counters } from '../counters.ts';
import {
  type AwarenessFrame,
  decodeFrames,
  type Frame,
  type FrameFault,
  type OpsFrame,
} from '../frames.ts';
import type { AwarenessChange, FollowedOp, Follower, FollowFrom, Following } from '../reports.ts';
import { asFollowed, Feed } from './feed.ts';
import type { LogReader } from './log-reader.ts';

export interface FeedsParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly reader: LogReader;
  readonly clusterTag: number;
  /** Awareness is none of the feeds' business beyond passing it on. */
  heardAwareness(doc: string, changes: readonly AwarenessChange[], session: string): void;
  heardAwarenessQuery(doc: string, session: string): void;
  /** A document has its first follower here, or lost its last. */
  interestChanged(doc: string, interested: boolean): void;
}

interface OpenFeed {
  readonly opening: Promise<{ feed: Feed; subscription: Subscription }>;
  users: number;
  closing: Timer | null;
  feed: Feed | null;
}

/** Heard between subscribing and knowing where the log ends; beyond it they are read from the log. */
const earlyFramesMax = 1_024;

/**
 * One feed for each document somebody here follows. The channel is subscribed with the first
 * follower and left a while after the last, so that a reload does not resubscribe.
 */
export class Feeds {
  readonly #parts: FeedsParts;
  readonly #feeds = new Map<string, OpenFeed>();
  #closed = false;

  constructor(parts: FeedsParts) {
    this.#parts = parts;
    parts.bus.onInterrupted(() => {
      for (const { feed } of this.#feeds.values()) feed?.resume();
    });
  }

  get size(): number {
    return this.#feeds.size;
  }

  feed(doc: string): Feed | null {
    return this.#feeds.get(doc)?.feed ?? null;
  }

  /** What somebody here follows, and how far each is; at most so many. */
  followed(max: number): { doc: string; seq: number; followers: number }[] {
    const rows = [];
    for (const [doc, { feed }] of this.#feeds) {
      if (rows.length >= max) break;
      if (feed && feed.followers > 0) {
        rows.push({ doc, seq: feed.end.seq, followers: feed.followers });
      }
    }
    return rows;
  }

  async follow(doc: string, from: FollowFrom, follower: Follower): Promise<Following> {
    const open = this.#use(doc);
    try {
      const { feed } = await open.opening;
      const following = new FollowerAtFeed(feed, follower);
      await following.catchUp(this.#parts.reader, from);
      let left = false;
      return {
        seq: () => following.seq,
        close: async () => {
          if (left) return;
          left = true;
          feed.detach(following);
          this.#leave(doc, open);
        },
      };
    } catch (error) {
      this.#leave(doc, open);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const feeds = [...this.#feeds.values()];
    this.#feeds.clear();
    for (const open of feeds) {
      open.closing?.cancel();
      const opened = await open.opening.catch(() => null);
      opened?.feed.close();
      await opened?.subscription.close().catch(() => {});
    }
  }

  #use(doc: string): OpenFeed {
    if (this.#closed) throw new BackplaneError('CLOSED', 'the node has stopped');
    let open = this.#feeds.get(doc);
    if (!open) {
      open = { opening: this.#open(doc), users: 0, closing: null, feed: null };
      this.#feeds.set(doc, open);
      const opened = open;
      open.opening.then(
        ({ feed }) => {
          opened.feed = feed;
          this.#parts.interestChanged(doc, true);
        },
        () => this.#feeds.delete(doc),
      );
    }
    open.closing?.cancel();
    open.closing = null;
    open.users += 1;
    return open;
  }

  #leave(doc: string, open: OpenFeed): void {
    open.users -= 1;
    if (open.users > 0 || this.#feeds.get(doc) !== open) return;
    open.closing = this.#parts.clock.after(protocol.unsubscribeGraceMs, async () => {
      if (open.users > 0 || this.#feeds.get(doc) !== open) return;
      this.#feeds.delete(doc);
      const opened = await open.opening.catch(() => null);
      opened?.feed.close();
      this.#parts.interestChanged(doc, false);
      await opened?.subscription.close().catch(() => {});
    });
  }

  /** A feed that failed serves nobody any more; whoever follows next gets the log as it is then. */
  #forget(doc: string, ended: Feed): void {
    const open = this.#feeds.get(doc);
    if (!open || open.feed !== ended) return;
    open.closing?.cancel();
    this.#feeds.delete(doc);
    this.#parts.interestChanged(doc, false);
    open.opening.then(({ subscription }) => subscription.close()).catch(() => {});
  }

  async #open(doc: string): Promise<{ feed: Feed; subscription: Subscription }> {
    const { bus, reader } = this.#parts;
    let feed: Feed | null = null;
    // Subscribe first and look at the log second, or what is appended in between is missed.
    const early: Frame[] = [];
    const subscription = await bus.subscribe(documentChannel(doc), (payload) => {
      // The bus lends the bytes for the call only; what is heard early is read later.
      for (const frame of this.#decode(feed ? payload : new Uint8Array(payload))) {
        if (feed) this.#hear(feed, frame);
        else if (early.length < earlyFramesMax) early.push(frame);
      }
    });
    try {
      const end = (await reader.end(doc)) ?? { seq: 0, chain: '' };
      const failed = (ended: Feed) => this.#forget(doc, ended);
      feed = new Feed({ ...this.#parts, failed }, doc, end);
      for (const frame of early) this.#hear(feed, frame);
      return { feed, subscription };
    } catch (error) {
      await subscription.close().catch(() => {});
      throw error;
    }
  }

  *#decode(payload: Uint8Array): Generator<Frame> {
    const count = (fault: FrameFault) => this.#parts.counters.add(`frames_${fault}_total`);
    yield* decodeFrames(this.#parts.clusterTag, payload, count);
  }

  #hear(feed: Feed, frame: Frame): void {
    if (!('doc' in frame) || frame.doc !== feed.doc) return;
    switch (frame.kind) {
      case 'ops':
        return feed.offer(opsOf(frame));
      case 'awareness':
        return this.#parts.heardAwareness(feed.doc, awarenessOf(frame), frame.session);
      case 'awareness-query':
        return this.#parts.heardAwarenessQuery(feed.doc, frame.session);
      case 'owner': {
        const { doc, nodeId, session, epoch, change } = frame;
        return feed.offerOwner({ doc, nodeId, session, epoch, change });
      }
    }
  }
}

/** Live ops kept while the log is read up to them; beyond it they are read from the log, too. */
const earlyOpsMax = 4_096;

/** Stands between a feed and a follower until the follower has caught up with it. */
class FollowerAtFeed implements Follower {
  readonly #feed: Feed;
  readonly #follower: Follower;
  seq = 0;
  /** Live ops that came while the log was read; null once the follower has caught up. */
  #early: FollowedOp[] | null = null;
  #readTo = 0;

  constructor(feed: Feed, follower: Follower) {
    this.#feed = feed;
    this.#follower = follower;
  }

  /** Listens before it reads: one that read first would chase a busy document for ever. */
  async catchUp(reader: LogReader, from: FollowFrom): Promise<void> {
    this.seq = from === 'now' ? this.#feed.end.seq : from;
    if (this.seq > this.#feed.end.seq) {
      const found = (await reader.end(this.#feed.doc))?.seq ?? 0;
      if (this.seq > found) throw shorter(this.#feed.doc, this.seq, found);
    }
    this.#early = [];
    this.#readTo = this.#feed.end.seq;
    this.#feed.attach(this);
    try {
      while (this.seq < this.#readTo) {
        const page = await reader.read(this.#feed.doc, this.seq);
        if (page.length === 0) throw shorter(this.#feed.doc, this.#readTo, this.seq);
        // A follower that reads slowly says so by a promise: a long log must not pile up in memory.
        await this.#deliver(page.map((op) => asFollowed(this.#feed.doc, op, null)));
      }
      const early = this.#early;
      this.#early = null;
      this.#deliver(early);
    } catch (error) {
      this.#feed.detach(this);
      throw error;
    }
  }

  ops(ops: readonly FollowedOp[]): void {
    if (this.#early === null) {
      this.#deliver(ops);
    } else if (this.#early.length + ops.length <= earlyOpsMax) {
      this.#early.push(...ops);
    } else {
      this.#early = [];
      this.#readTo = ops.at(-1)?.seq ?? this.#readTo;
    }
  }

  #deliver(ops: readonly FollowedOp[]): unknown {
    const fresh = ops.filter((op) => op.seq > this.seq);
    const last = fresh.at(-1);
    if (!last) return;
    this.seq = last.seq;
    return this.#follower.ops(fresh);
  }

  awareness(changes: readonly AwarenessChange[]): void {
    this.#follower.awareness?.(changes);
  }

  owner(change: Parameters<NonNullable<Follower['owner']>>[0]): void {
    this.#follower.owner?.(change);
  }

  failed(error: Error): void {
    this.#follower.failed(error);
  }
}

function shorter(doc: string, known: number, found: number): BackplaneError {
  const message = `op ${known} of "${doc}" is known, but its log ends at ${found}`;
  return new BackplaneError('LOG_REWOUND', message, { facts: { known, found } });
}

function opsOf(frame: OpsFrame): FollowedOp[] {
  let at = 0;
  // One copy for all of them: the bus lends its bytes for the call only.
  const payloads = Uint8Array.prototype.slice.call(frame.payload);
  return frame.ops.map((header) => {
    const payload = payloads.subarray(at, at + header.length);
    at += header.length;
    return asFollowed(frame.doc, { ...header, payload }, frame.nodeId);
  });
}

function awarenessOf(frame: AwarenessFrame): AwarenessChange[] {
  let at = 0;
  const states = Uint8Array.prototype.slice.call(frame.payload);
  return frame.changes.map(({ peer, clock, length }) => {
    const state = length === null ? null : states.subarray(at, at + length);
    at += length ?? 0;
    return { doc: frame.doc, peer, clock, state };
  });
}
