/**
 * What the directory and the store were made to do, in the order in which they did it, whoever
 * asked: for drills, which must know and not believe. It can cost the engine a lot.
 *
 * Laws, each a test in `test/conformance/tap.ts`:
 *  1. Every fence and append is told once, in the store's own order, with what became of it; one
 *     that was refused may be left out.
 *  2. Every session opened, renewed, ended or fenced, and every lease confirmed or taken away, is
 *     told once, in the directory's order. Sessions that are open at the start are told first.
 *  3. When some of it went unseen, `unseen` is told in its place, before anything later; then, what
 *     became of the sessions meanwhile.
 *  4. After `flush` everything done before the call has been told.
 *  5. Listening changes nothing that others read.
 */
export interface Tap {
  flush(): Promise<void>;
  close(): Promise<void>;
}

export type Witness = (event: TapEvent) => void;

export type TapEvent =
  | { readonly kind: 'session.open'; readonly session: string; readonly nodeId: string }
  | { readonly kind: 'session.beat'; readonly session: string; readonly beat: number }
  | {
      readonly kind: 'session.gone';
      readonly session: string;
      /** The beat on which whoever ended it insisted; absent for one that ran out. */
      readonly seenBeat?: number;
    }
  | {
      readonly kind: 'lease.grant';
      readonly doc: string;
      readonly session: string;
      readonly epoch: number;
    }
  | { readonly kind: 'lease.gone'; readonly doc: string }
  | {
      readonly kind: 'store.fence';
      readonly doc: string;
      readonly session: string;
      readonly epoch: number;
    }
  | {
      readonly kind: 'store.append';
      readonly doc: string;
      readonly session: string;
      readonly epoch: number;
      /** Of the first op. */
      readonly seq: number;
      /** `peer:counter` of each. */
      readonly opIds: readonly string[];
    }
  | { readonly kind: 'unseen'; readonly where: 'store' }
  | {
      readonly kind: 'unseen';
      readonly where: 'directory';
      /** The documents of which was told last that they have an owner: it may be another now. */
      readonly leases: readonly string[];
    };

/**
 * A key of the broker: what it is for, whose it is, and when it goes by itself. What several
 * sessions share has a row for the part of each besides.
 */
export interface KeyRow {
  readonly key: string;
  readonly role: 'cluster' | 'log' | 'session' | 'lease' | 'other';
  readonly session: string | null;
  readonly ttlMs: number | null;
}
