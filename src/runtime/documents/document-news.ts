import type { Store, StoredOp } from '../../ports/store.ts';
import { opsFrames } from '../announcements.ts';
import { documentChannel } from '../channels.ts';
import { noPayload } from '../frames.ts';
import type { Outbox } from '../outbox.ts';
import type { OwnerChange } from '../reports.ts';
import { asFollowed } from './feed.ts';
import type { Feeds } from './feeds.ts';

/**
 * Tells a document's channel what happened to it. A frame that is lost is a gap, which its
 * subscribers close from the log; so nobody waits for these.
 */
export class DocumentNews {
  readonly #nodeId: string;
  readonly #store: Store;
  readonly #outbox: Outbox;
  readonly #feeds: Feeds;

  constructor(parts: {
    readonly nodeId: string;
    readonly store: Store;
    readonly outbox: Outbox;
    readonly feeds: Feeds;
  }) {
    this.#nodeId = parts.nodeId;
    this.#store = parts.store;
    this.#outbox = parts.outbox;
    this.#feeds = parts.feeds;
  }

  /** For a store that publishes in the round trip of the append. */
  announcement(
    doc: string,
    ops: readonly StoredOp[],
  ): { channel: string; payload: Uint8Array } | null {
    if (!this.#store.announces) return null;
    const frames = [...opsFrames(doc, this.#nodeId, ops)].map((frame) =>
      this.#outbox.encode(frame),
    );
    return { channel: documentChannel(doc), payload: Buffer.concat(frames) };
  }

  appended(doc: string, ops: readonly StoredOp[]): void {
    if (!this.#store.announces) {
      for (const frame of opsFrames(doc, this.#nodeId, ops)) {
        this.#outbox.send(documentChannel(doc), frame).catch(() => {});
      }
    }
    // Peers of this node need not wait for the bus to bring it back.
    this.#feeds.feed(doc)?.offer(ops.map((op) => asFollowed(doc, op, this.#nodeId)));
  }

  ownerChanged(change: Omit<OwnerChange, 'nodeId'>): void {
    const frame = {
      kind: 'owner',
      ...change,
      nodeId: this.#nodeId,
      payload: noPayload,
    } as const;
    this.#outbox.send(documentChannel(change.doc), frame).catch(() => {});
  }
}
