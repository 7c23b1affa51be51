/**
 * The directory: which session owns which document. Hints and bookkeeping; the store is the judge
 * (`ports/store.ts`), so a directory that lost or rewound its data costs availability only.
 *
 * Looking never acquires. A record is changed only by compare-and-set from the record seen.
 *
 * Laws, each a test in `test/conformance/leases.ts`:
 *  1. `claim` succeeds only from exactly the record seen, and of two claimants one wins.
 *  2. A claim keeps the epoch of the record it replaced, or 0.
 *  3. `confirm` succeeds only from the claimant's own claim at the epoch claimed; a greater epoch
 *     is no argument.
 *  4. `release` removes only the exact record, or turns it into one that names the successor.
 *  5. `sweep` removes every record of the dead session and no other, in steps of bounded size.
 *  6. Any document name up to the limit is kept apart from every other.
 *  7. A record that may name the `living` only is never made for a session that is dead in that
 *     step: what was still under way when a session died and was swept leaves nothing behind.
 */
export interface Leases {
  read(doc: string): Promise<LeaseRecord | null>;
  claim(
    doc: string,
    seen: LeaseRecord | null,
    session: string,
    naming?: LeaseNaming,
  ): Promise<ClaimAnswer>;
  confirm(confirmation: LeaseConfirmation): Promise<'confirmed' | 'superseded'>;
  /**
   * `successor`: the session that was handed the document and shall claim it. Of one that has to be
   * living and is not, nothing is left.
   */
  release(
    doc: string,
    session: string,
    epoch: number,
    successor: string | null,
    naming?: LeaseNaming,
  ): Promise<boolean>;
  /** Clears some of a dead session's records; call it again with `next` until that is null. */
  sweep(session: string, from: string | null): Promise<SweepStep>;
}

/** `claimed`: taken, the store not yet fenced. `held`: owned. `handed`: given to `session` to claim. */
export type LeaseState = 'claimed' | 'held' | 'handed';

/** Whom a record may come to name: `anybody` is for tools, which put back what was there. */
export type LeaseNaming = 'living' | 'anybody';

export interface LeaseRecord {
  readonly session: string;
  readonly epoch: number;
  readonly state: LeaseState;
}

export interface LeaseConfirmation {
  readonly doc: string;
  readonly session: string;
  readonly claimedEpoch: number;
  readonly epoch: number;
}

export type ClaimAnswer =
  | { readonly status: 'claimed'; readonly epoch: number }
  | { readonly status: 'conflict'; readonly current: LeaseRecord | null }
  | { readonly status: 'dead' };

export interface SweepStep {
  readonly removed: number;
  readonly next: string | null;
}
