import type { DirectoryPage, DirectoryQuery } from '../../operations/watch/directory-page.ts';
import type { DocumentPicture } from '../../operations/watch/document-watch.ts';
import type { ListingPage, ListingQuery } from '../../operations/watch/listing-page.ts';
import type { PulseEvent } from '../../operations/watch/pulse-events.ts';
import type { PulseReport, TrendPoint } from '../../operations/watch/pulse-report.ts';
import type { PacedView } from '../feeds/paced-reading.ts';

/** Everything the screens draw, as one value: the same picture is the same screen. */
export interface Picture {
  /** Where the cluster is; safe to print. */
  readonly cluster: string;
  /** Null before the first look. */
  readonly pulse: PulseReport | null;
  /** Up to the moment shown, the oldest first. */
  readonly trend: readonly TrendPoint[];
  /** The same. */
  readonly events: readonly PulseEvent[];
  readonly link: Link;
  /** The document somebody looks into; null when nobody does. */
  readonly document: DocumentPicture | null;
  readonly directory: DirectoryView | null;
  /** Connections, users, caches or workspaces: what was looked at last; null when nothing was. */
  readonly listing: ListingView | null;
  /** Where in time the picture is; null while it is the present. */
  readonly slider: Slider | null;
  /** Out of a recording: nothing can be done to it. */
  readonly isReplay: boolean;
}

/** Whether the picture is the present. */
export type Link =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  | { readonly state: 'lost'; readonly since: string | null; readonly why: string };

export type DirectoryView = PacedView<DirectoryQuery, DirectoryPage>;
export type ListingView = PacedView<ListingQuery, ListingPage>;

export interface Slider {
  readonly at: number;
  readonly length: number;
  readonly firstAt: string;
  readonly lastAt: string;
  /** A recording that goes on by itself. */
  readonly isPlaying: boolean;
}

/** What the view on the screen needs besides the pulse. */
export interface Wish {
  readonly documents: { readonly contains: string; readonly limit: number } | null;
  readonly directory: DirectoryQuery | null;
  readonly listing: ListingQuery | null;
  readonly doc: string | null;
}

export const noWish: Wish = { documents: null, directory: null, listing: null, doc: null };
