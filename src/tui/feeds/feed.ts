import type { Picture, Wish } from '../state/picture.ts';

/** Where pictures come from: the cluster as it is, or a recording of it. */
export interface Feed {
  /** The same object until something changed. */
  picture(): Picture;
  onChange(listen: () => void): void;
  wish(wish: Wish): void;
  /** Live: holds the picture while looking goes on. Replay: stops it from going on. */
  pause(isPaused: boolean): void;
  seek(target: Seek): void;
  start(): void;
  stop(): Promise<void>;
}

/** Steps back or forth, to the end, or to a time of day as `03:12` or `03:12:30`. */
export type Seek =
  | { readonly kind: 'by'; readonly steps: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'time'; readonly time: string };
