import { limits } from '../../foundation/limits.ts';

/** The last op of a peer session in a document. */
export interface PeerSeen {
  readonly counter: number;
  readonly seq: number;
  /** When it was appended, by the owner's wall clock: decides only what may be forgotten. */
  readonly at: number;
}

/**
 * What deduplication remembers: one entry a peer session, because counters are contiguous. Kept in
 * the snapshot and rebuilt from the log, so it survives every failover.
 */
export class PeersSeen {
  readonly #peers: Map<string, PeerSeen>;

  constructor(entries: Iterable<readonly [string, PeerSeen]> = []) {
    this.#peers = new Map(entries);
  }

  get(peer: string): PeerSeen | undefined {
    return this.#peers.get(peer);
  }

  note(peer: string, seen: PeerSeen): void {
    this.#peers.set(peer, seen);
  }

  /** All but those silent for longer than any peer may stay away, who are forgotten here as well. */
  toEntries(nowMs: number): [string, PeerSeen][] {
    for (const [peer, seen] of this.#peers) {
      if (nowMs - seen.at >= limits.peerRetentionMs) this.#peers.delete(peer);
    }
    return [...this.#peers];
  }
}
