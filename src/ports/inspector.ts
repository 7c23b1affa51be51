import type { LeaseRecord } from './leases.ts';
import type { DocumentHead } from './store.ts';

/**
 * The reading of everything, for operators. Apart from the runtime's ports, so that the runtime
 * can never come to depend on a scan. Nothing here writes.
 *
 * Laws, each a test in `test/conformance/inspector.ts`:
 *  1. `leases` yields every record once, in pages of bounded size, however many there are.
 *  2. `channels` yields every channel somebody subscribes to, with how many do.
 *  3. Reading changes nothing in the engine.
 */
export interface Inspector {
  leases(): AsyncIterable<LeaseRow[]>;
  channels(): AsyncIterable<ChannelRow[]>;
  /** One round trip; answers its time in ms. */
  ping(): Promise<number>;
  /**
   * Where what is listed and what there is contradict each other, as it stands at this moment: what
   * is under way shows, too. Absent where an engine keeps no list apart from the things themselves.
   * Throws PERMISSION_DENIED.
   */
  indexFaults?(): Promise<IndexFault[]>;
}

/**
 * `session-unlisted`: it lives, and no listing knows it. `session-gone`: listed as living, and its
 * key went before its time. `session-left`: a description or vitals of nobody listed.
 * `document-unlisted`: it has a log, and no listing knows it. `document-gone`: listed, and it has
 * ops but no head.
 */
export type IndexFaultKind =
  | 'session-unlisted'
  | 'session-gone'
  | 'session-left'
  | 'document-unlisted'
  | 'document-gone';

export interface IndexFault {
  readonly kind: IndexFaultKind;
  readonly name: string;
  readonly seen: string;
  /** Commands of the server that mend it; none where it mends itself or nothing can. */
  readonly mend: readonly (readonly string[])[];
}

export interface LeaseRow extends LeaseRecord {
  readonly doc: string;
}

export interface ChannelRow {
  readonly channel: string;
  readonly receivers: number;
}

/**
 * The same for a store.
 *
 * Law, a test in `test/conformance/store.ts`: `documents` pages through every fenced document;
 * pages are bounded, an unchanged store gives each document once.
 */
export interface LogInspector {
  documents(from: string | null, limit: number): Promise<DocumentPage>;
}

export interface DocumentPage {
  readonly documents: DocumentHead[];
  readonly next: string | null;
}
