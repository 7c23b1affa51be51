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
