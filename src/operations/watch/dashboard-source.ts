import type { ClusterAction } from '../act/cluster-action.ts';
import type { PulseWish } from './cluster-pulse.ts';
import type { DirectoryPage, DirectoryQuery } from './directory-page.ts';
import type { DocumentPicture } from './document-watch.ts';
import type { ListingPage, ListingQuery } from './listing-page.ts';
import type { RecordedPulses } from './pulse-recording.ts';
import type { PulseReport } from './pulse-report.ts';

/** Everything a dashboard shows and does, without saying where it comes from. */
export interface LiveSource {
  readonly kind: 'live';
  /** Where the cluster is; safe to print. */
  readonly cluster: string;
  readonly intervalMs: number;
  /** A first picture, at once. */
  glance(): Promise<PulseReport>;
  look(documents: PulseWish): Promise<PulseReport>;
  readDirectory(query: DirectoryQuery): Promise<DirectoryPage>;
  readListing(query: ListingQuery): Promise<ListingPage>;
  watchDocument(doc: string): WatchedDocument;
  /** Null: this dashboard only looks. */
  readonly act: ((action: ClusterAction) => Promise<string>) | null;
  /** Told of every look, for a recording; throws once that has failed. Null when none is made. */
  readonly record: ((report: PulseReport) => void) | null;
}

export interface WatchedDocument {
  start(): Promise<void>;
  look(): Promise<DocumentPicture>;
  stop(): Promise<void>;
}

export interface ReplaySource {
  readonly kind: 'replay';
  readonly recording: RecordedPulses;
  readonly intervalMs: number;
  /** A time of day to begin at; null for the end. */
  readonly startAt: string | null;
}

export interface DashboardRequest {
  readonly source: LiveSource | ReplaySource;
  readonly look: { readonly colour: boolean; readonly ascii: boolean; readonly spoken: boolean };
  /** Ends the dashboard. */
  readonly signal: AbortSignal;
}
