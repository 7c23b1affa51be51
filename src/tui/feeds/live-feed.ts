import { asBackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import { isoTime } from '../../foundation/iso-time.ts';
import type { LiveSource, WatchedDocument } from '../../operations/watch/dashboard-source.ts';
import type { DirectoryPage, DirectoryQuery } from '../../operations/watch/directory-page.ts';
import type { DocumentPicture } from '../../operations/watch/document-watch.ts';
import {
  emptyListing,
  type ListingPage,
  type ListingQuery,
} from '../../operations/watch/listing-page.ts';
import type { PulseEvent } from '../../operations/watch/pulse-events.ts';
import { lookAtTime } from '../../operations/watch/pulse-recording.ts';
import type { PulseReport } from '../../operations/watch/pulse-report.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import { History } from '../state/history.ts';
import { type Link, noWish, type Picture, type Wish } from '../state/picture.ts';
import type { Feed, Seek } from './feed.ts';
import { PacedReading } from './paced-reading.ts';

export type LiveFeedParts = Omit<LiveSource, 'kind' | 'act'> & { readonly clock: Clock };

/** A page of a listing costs more than a look at the pulse, so it is read less often. */
const listingMs = 5_000;
const pauseMsMin = 50;

/** The cluster as it is: looks once per interval, and holds the last picture when it cannot. */
export class LiveFeed implements Feed {
  readonly #parts: LiveFeedParts;
  readonly #history = new History();
  #listen: () => void = () => {};
  #wish: Wish = noWish;
  #link: Link = { state: 'connecting' };
  readonly #directory: PacedReading<DirectoryQuery, DirectoryPage>;
  readonly #listing: PacedReading<ListingQuery, ListingPage>;
  #watched: { doc: string; watch: WatchedDocument; picture: DocumentPicture | null } | null = null;
  /** The number of the look shown; null for the latest. */
  #shown: number | null = null;
  #picture: Picture | null = null;
  #wake = new AbortController();
  #isStopped = false;
  #isRecordingLost = false;

  constructor(parts: LiveFeedParts) {
    this.#parts = parts;
    const paced = { clock: parts.clock, everyMs: listingMs, changed: () => this.#change() };
    this.#directory = new PacedReading({
      ...paced,
      read: (query) => parts.readDirectory(query),
      instead: (_, before) => before ?? { rows: [], next: null },
    });
    this.#listing = new PacedReading({
      ...paced,
      read: (query) => parts.readListing(query),
      instead: ({ kind }, before) => (before?.kind === kind ? before : emptyListing(kind)),
    });
  }

  onChange(listen: () => void): void {
    this.#listen = listen;
  }

  start(): void {
    void this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake.abort();
    await this.#watched?.watch.stop();
  }

  wish(wish: Wish): void {
    const before = this.#wish;
    this.#wish = wish;
    if (wish.doc !== before.doc) this.#watch(wish.doc);
    const turned = [this.#directory.wish(wish.directory), this.#listing.wish(wish.listing)];
    if (turned.includes(true) || wish.doc !== before.doc) void this.#extras();
    if (JSON.stringify(wish.documents) !== JSON.stringify(before.documents)) this.#wake.abort();
  }

  pause(isPaused: boolean): void {
    this.#shown = isPaused ? this.#history.lastNumber : null;
    this.#change();
  }

  seek(target: Seek): void {
    const { firstNumber, lastNumber } = this.#history;
    const now = this.#shown ?? lastNumber;
    if (target.kind === 'end') this.#shown = lastNumber;
    if (target.kind === 'by') {
      this.#shown = Math.max(firstNumber, Math.min(lastNumber, now + target.steps));
    }
    if (target.kind === 'time') {
      const found = lookAtTime(this.#history.times(), target.time);
      this.#shown = firstNumber + (found ?? 0);
    }
    this.#change();
  }

  /** Something that was done from here, among what happened by itself. */
  tell(severity: PulseEvent['severity'], text: string): void {
    const at = isoTime(this.#parts.clock.wallMs()) ?? '';
    this.#history.tell({ at, severity, nodeId: null, text });
    this.#change();
  }

  picture(): Picture {
    this.#picture ??= this.#draw();
    return this.#picture;
  }

  async #run(): Promise<void> {
    const { clock, intervalMs } = this.#parts;
    await this.#look(() => this.#parts.glance());
    const look = () => this.#parts.look(this.#wish.documents);
    while (!this.#isStopped) {
      const startedMs = clock.monotonicMs();
      await Promise.all([this.#look(look), this.#extras()]);
      const tookMs = clock.monotonicMs() - startedMs;
      await sleep(clock, Math.max(pauseMsMin, intervalMs - tookMs), this.#wake.signal);
      if (!this.#isStopped) this.#wake = new AbortController();
    }
  }

  async #look(look: () => Promise<PulseReport>): Promise<void> {
    try {
      const report = await look();
      if (this.#link.state === 'lost') this.tell('info', 'the broker is back');
      this.#link = { state: 'live' };
      this.#history.push(report);
      this.#record(report);
    } catch (thrown) {
      const { message } = asBackplaneError(thrown);
      const since = this.#history.last?.at ?? null;
      if (this.#link.state !== 'lost') this.tell('bad', `the broker is gone: ${message}`);
      this.#link = { state: 'lost', since, why: message };
    }
    this.#change();
  }

  /** A disk that is full ends the recording, not the looking. */
  #record(report: PulseReport): void {
    if (this.#isRecordingLost) return;
    try {
      this.#parts.record?.(report);
    } catch (thrown) {
      this.#isRecordingLost = true;
      this.tell('bad', asBackplaneError(thrown).message);
    }
  }

  async #extras(): Promise<void> {
    await Promise.all([this.#directory.read(), this.#listing.read(), this.#readDocument()]);
  }

  #watch(doc: string | null): void {
    void this.#watched?.watch.stop();
    this.#watched = null;
    if (doc !== null) {
      const watch = this.#parts.watchDocument(doc);
      this.#watched = { doc, watch, picture: null };
      void watch.start().then(() => this.#readDocument());
    }
    this.#change();
  }

  async #readDocument(): Promise<void> {
    const watched = this.#watched;
    if (watched === null) return;
    try {
      const picture = await watched.watch.look();
      // Held still with the rest; what came meanwhile is in the next one.
      if (this.#shown === null || watched.picture === null) watched.picture = picture;
    } catch (error) {
      // The look at the cluster says that the broker is gone.
      if (!isBackplaneError(error)) throw error;
      return;
    }
    this.#change();
  }

  #change(): void {
    this.#picture = null;
    this.#listen();
  }

  #draw(): Picture {
    const history = this.#history;
    const pulse = this.#shown === null ? history.last : history.at(this.#shown);
    return {
      cluster: this.#parts.cluster,
      pulse,
      trend: pulse ? history.trendUntil(pulse.at) : [],
      events: history.eventsUntil(this.#shown === null ? null : (pulse?.at ?? null)),
      link: this.#link,
      document: this.#watched?.picture ?? null,
      directory: this.#directory.view,
      listing: this.#listing.view,
      slider: this.#shown === null || !pulse ? null : this.#slider(this.#shown),
      isReplay: false,
    };
  }

  #slider(shown: number): Picture['slider'] {
    const { firstNumber, lastNumber } = this.#history;
    return {
      at: Math.max(0, shown - firstNumber),
      length: lastNumber - firstNumber + 1,
      firstAt: this.#history.at(firstNumber)?.at ?? '',
      lastAt: this.#history.last?.at ?? '',
      isPlaying: false,
    };
  }
}
