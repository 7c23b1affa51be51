import { asBackplaneError } from '../../foundation/errors.ts';
import type { ReplaySource } from '../../operations/watch/dashboard-source.ts';
import { lookAtTime } from '../../operations/watch/pulse-recording.ts';
import type { RecordedLook } from '../../operations/watch/recorder.ts';
import { type Clock, repeat, type Timer } from '../../ports/clock.ts';
import type { Link, Picture } from '../state/picture.ts';
import type { Feed, Seek } from './feed.ts';

export type ReplayFeedParts = Omit<ReplaySource, 'kind'> & { readonly clock: Clock };

const trendShown = 600;

/** A recording as a cluster that was: the same screens, with a slider over its time. */
export class ReplayFeed implements Feed {
  readonly #parts: ReplayFeedParts;
  #listen: () => void = () => {};
  #at: number;
  #pulse: RecordedLook | null = null;
  #link: Link = { state: 'connecting' };
  #picture: Picture | null = null;
  #isPlaying = false;
  #timer: Timer | null = null;

  constructor(parts: ReplayFeedParts) {
    this.#parts = parts;
    this.#at = parts.recording.trend.length - 1;
    if (parts.startAt !== null) this.#at = this.#find(parts.startAt);
  }

  onChange(listen: () => void): void {
    this.#listen = listen;
  }

  start(): void {
    void this.#read();
    const { clock, intervalMs } = this.#parts;
    this.#timer = repeat(
      clock,
      () => intervalMs,
      () => {
        if (this.#isPlaying) this.seek({ kind: 'by', steps: 1 });
      },
    );
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#parts.recording.close();
  }

  /** Everything that was recorded is there already. */
  wish(): void {}

  pause(isPaused: boolean): void {
    this.#isPlaying = !isPaused;
    this.#change();
  }

  seek(target: Seek): void {
    const last = this.#parts.recording.trend.length - 1;
    if (target.kind === 'by') this.#at = Math.max(0, Math.min(last, this.#at + target.steps));
    if (target.kind === 'end') this.#at = last;
    if (target.kind === 'time') this.#at = this.#find(target.time);
    if (this.#at === last) this.#isPlaying = false;
    void this.#read();
  }

  picture(): Picture {
    this.#picture ??= this.#draw();
    return this.#picture;
  }

  #find(time: string): number {
    const times = this.#parts.recording.trend.map(({ at }) => at);
    return lookAtTime(times, time) ?? 0;
  }

  async #read(): Promise<void> {
    const at = this.#at;
    try {
      const pulse = await this.#parts.recording.read(at);
      // Somebody who slides on does not wait for what lay between.
      if (at !== this.#at) return;
      this.#pulse = pulse;
      this.#link = { state: 'live' };
    } catch (thrown) {
      this.#link = { state: 'lost', since: null, why: asBackplaneError(thrown).message };
    }
    this.#change();
  }

  #directory(): Picture['directory'] {
    const kept = this.#pulse?.directory ?? null;
    const query = { from: null, prefix: '', limit: kept?.rows.length ?? 0 };
    // What came after was not kept: there is no next page.
    return kept && { rows: kept.rows, next: null, query, failure: null };
  }

  #change(): void {
    this.#picture = null;
    this.#listen();
  }

  #draw(): Picture {
    const { cluster, trend, events } = this.#parts.recording;
    const shownAt = this.#pulse?.at ?? '';
    return {
      cluster,
      pulse: this.#pulse,
      trend: trend.slice(Math.max(0, this.#at + 1 - trendShown), this.#at + 1),
      events: events.filter(({ at }) => at <= shownAt),
      link: this.#link,
      document: null,
      directory: this.#directory(),
      listing: null,
      slider: {
        at: this.#at,
        length: trend.length,
        firstAt: trend[0]?.at ?? '',
        lastAt: trend.at(-1)?.at ?? '',
        isPlaying: this.#isPlaying,
      },
      isReplay: true,
    };
  }
}
