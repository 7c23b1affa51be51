/**
 * What sessions have registered: records of their connections, by hub, and names that only one may
 * hold at a time. All of it dies with its session.
 *
 * The danger: what a dead session writes late would stay for ever. So every writing step checks, in
 * the same step, that its session is alive.
 *
 * The versions of a session and hub are numbers its node never uses twice, so equal versions mean
 * equal records.
 *
 * Laws, each a test in `test/conformance/registry.ts`:
 *  1. `write` changes something only for a live session whose version is the one expected, and then
 *     makes all its changes and the new version visible at once. `from` null replaces all there is.
 *  2. A hub in which a session has no records left is forgotten: no version, and no hub when it was
 *     the last.
 *  3. `read` pages through every record that is there all the while. It may show what is written
 *     meanwhile; `version` of the first page is of before that.
 *  4. Of many who `hold` an absent name, one succeeds. A name whose session is dead is absent.
 *     Holding again with one's own token changes what the holder says, and is no conflict.
 *  5. `take` always succeeds for a live session, and names whom it was taken from.
 *  6. `letGo` frees a name only for the token that holds it.
 *  7. `clear` removes all of a dead session and nothing of another, in steps of bounded size; of a
 *     live session it removes nothing.
 *  8. Any hub, record id and name up to the limit is kept apart from every other.
 */
export interface Registry {
  write(write: RegistryWrite): Promise<WriteAnswer>;
  /** Session to version, of every session with records in the hub. */
  versions(hub: string): Promise<ReadonlyMap<string, number>>;
  read(session: string, hub: string, from: string | null): Promise<RegistryPage>;
  /** Hubs with records, in pages of bounded size; one may be named twice. */
  hubs(from: string | null): Promise<HubPage>;
  hold(claim: NameClaim, how: 'refuse' | 'take'): Promise<HoldAnswer>;
  letGo(name: string, session: string, token: string): Promise<boolean>;
  /** Null when nobody alive holds it. */
  holder(name: string): Promise<NameHolder | null>;
  /** Names held by the living, in pages of bounded size; one may be told twice. */
  names(from: string | null): Promise<NamePage>;
  /** Clears some of a dead session's leavings; call it again until it is done. */
  clear(session: string): Promise<ClearStep>;
}

export interface RegistryWrite {
  readonly session: string;
  readonly hub: string;
  /** The version expected; 0 when there should be none; null to replace whatever is there. */
  readonly from: number | null;
  /** Above every version this session has ever tried to write. */
  readonly version: number;
  readonly changes: readonly RegistryChange[];
}

export interface RegistryChange {
  readonly id: string;
  /** Null: there is no such record any more. */
  readonly record: string | null;
}

export type WriteAnswer =
  | { readonly status: 'written' }
  /** `version` is the one that is there; 0 for none. */
  | { readonly status: 'conflict'; readonly version: number }
  | { readonly status: 'dead' };

export interface RegistryPage {
  /** 0 when the session has no records in the hub. */
  readonly version: number;
  readonly records: readonly { readonly id: string; readonly record: string }[];
  readonly next: string | null;
}

export interface HubPage {
  readonly hubs: readonly string[];
  readonly next: string | null;
}

export interface NameClaim {
  readonly name: string;
  readonly session: string;
  /** Random; known to the holder alone. */
  readonly token: string;
  /** What the holder says of itself. */
  readonly holder: string;
}

export interface NameHolder {
  readonly name: string;
  readonly session: string;
  readonly token: string;
  readonly holder: string;
}

export type HoldAnswer =
  | { readonly status: 'held' }
  | { readonly status: 'taken'; readonly previous: NameHolder }
  | { readonly status: 'conflict'; readonly previous: NameHolder }
  /** The session that wants it is dead. */
  | { readonly status: 'dead' };

export interface NamePage {
  readonly names: readonly NameHolder[];
  readonly next: string | null;
}

export interface ClearStep {
  readonly removed: number;
  readonly done: boolean;
}
