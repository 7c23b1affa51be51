/**
 * Lives of nodes. Everything a node owns or registers points to its session, so renewing a
 * million leases is renewing one key.
 *
 * The danger: a dead session must stay dead. That is what makes "prove the owner dead, then
 * compare-and-set the lease" safe without a transaction over both.
 *
 * Laws, each a test in `test/conformance/sessions.ts`:
 *  1. An id is opened at most once, for ever: opening a live, dead or fenced one fails with
 *     SESSION_TAKEN. After an open whose answer was lost, draw another id.
 *  2. `renew` extends only a live session of the same token; it never brings one back.
 *  3. A delayed renewal with an older beat answers `stale` and extends nothing.
 *  4. `fence` kills a session only if its beat is still the expected one.
 *  5. A session not renewed for its TTL is dead, by the engine's clock alone.
 *  6. `boot` changes when the engine lost its data, and only then.
 *  7. `renew` answers the previous beat, so a rewound engine is noticed.
 *  8. `list` names live, silent and dead sessions without scanning the engine's keys; a dead one
 *     is listed until its tombstone expires.
 *  9. A dead session is handed to one sweeper at a time until `finishSweep`.
 */
export interface Sessions {
  open(opening: SessionOpening): Promise<{ readonly boot: string }>;
  renew(renewal: SessionRenewal): Promise<RenewalAnswer>;
  /** Kills the session if its beat is unchanged; `left` says it ended itself. Stable once done. */
  fence(id: string, expectedBeat: number, why: DeathCause): Promise<FenceAnswer>;
  read(id: string): Promise<SessionRecord | null>;
  list(): Promise<SessionRecord[]>;
  /** A dead session whose leavings nobody has swept yet, lent to this sweeper for `lendMs`. */
  takeSweep(lendMs: number): Promise<string | null>;
  finishSweep(id: string): Promise<void>;
}

export interface SessionOpening {
  readonly id: string;
  /** Known to the node alone; proves that a renewal comes from the process that opened it. */
  readonly token: string;
  readonly ttlMs: number;
  readonly description: SessionDescription;
}

export interface SessionRenewal {
  readonly id: string;
  readonly token: string;
  /** Grows by one with each renewal sent, whatever became of the last. */
  readonly beat: number;
  readonly ttlMs: number;
  readonly vitals: SessionVitals;
}

export type RenewalAnswer =
  | { readonly status: 'renewed'; readonly previousBeat: number; readonly boot: string }
  | { readonly status: 'stale' }
  | { readonly status: 'dead' };

/** `fenced`: it was alive and this call killed it. `dead`: it was dead before. */
export type FenceAnswer = 'fenced' | 'dead' | 'renewed';

/** `expired`: its TTL passed. `fenced`: another node gave it up. `left`: it stopped cleanly. */
export type DeathCause = 'expired' | 'fenced' | 'left';

/** What does not change during a session's life. */
export interface SessionDescription {
  readonly nodeId: string;
  /** Where the gateway listens, as `http://host:port`; null when the node has none. */
  readonly address: string | null;
  readonly pid: number;
  readonly version: string;
  readonly protocol: number;
  readonly configHash: string;
  /** ISO time by the node's wall clock: for people. */
  readonly startedAt: string;
}

/** What changes, as of the last beat. */
export interface SessionVitals {
  readonly documents: number;
  readonly connections: number;
  readonly draining: boolean;
  /** The node's own subscriber connection does not deliver. */
  readonly deaf: boolean;
}

export interface SessionRecord {
  readonly id: string;
  readonly state: 'live' | 'dead';
  readonly cause: DeathCause | null;
  readonly beat: number;
  /** By the engine's clock. */
  readonly lastBeatAgoMs: number;
  readonly expiresInMs: number;
  readonly description: SessionDescription;
  readonly vitals: SessionVitals;
}
