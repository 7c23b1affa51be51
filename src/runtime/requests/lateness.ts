const originsMax = 1_024;
/** Less than this is the network's and the event loop's ordinary jitter. */
const noticeableMs = 1_000;
/** Frames that are slow for so long, on both sides' clocks, were not delayed: a clock was set. */
const clockSetMs = 3_000;

interface Origin {
  /** What the clocks differ by plus the fastest delivery. */
  smallest: number;
  /** The first of the slow frames in a row, and the smallest difference among them. */
  slow: { readonly sentAt: number; readonly arrivedAt: number; smallest: number } | null;
}

/**
 * Notices a request that lay around (in a paused process, in a full socket) until its caller had
 * given up. No clock is compared with another: for each origin the smallest difference between our
 * clock and its own is what the clocks differ by plus the fastest delivery; whatever a frame
 * shows above that, it has waited.
 *
 * A clock that is set makes every frame look late from then on. Frames that lay around arrive
 * together, though they were sent apart; after a clock was set they go on arriving as far apart as
 * they were sent, and then the new difference is the one that counts.
 */
export class Lateness {
  readonly #origins = new Map<string, Origin>();

  /** How long the frame waited on its way, in ms, as far as can be known. */
  waitedMs(name: string, sentAt: number, arrivedAt: number): number {
    const difference = arrivedAt - sentAt;
    const origin = this.#origin(name, difference);
    origin.smallest = Math.min(origin.smallest, difference);
    const waitedMs = difference - origin.smallest;
    if (waitedMs < noticeableMs) {
      origin.slow = null;
      return waitedMs;
    }
    const slow = origin.slow ?? { sentAt, arrivedAt, smallest: difference };
    slow.smallest = Math.min(slow.smallest, difference);
    origin.slow = slow;
    const clockWasSet =
      sentAt - slow.sentAt >= clockSetMs && arrivedAt - slow.arrivedAt >= clockSetMs;
    if (!clockWasSet) return waitedMs;
    origin.smallest = slow.smallest;
    origin.slow = null;
    return difference - origin.smallest;
  }

  /** Kept in the order of use, so that the one forgotten is the one unheard of for longest. */
  #origin(name: string, difference: number): Origin {
    const origin = this.#origins.get(name) ?? { smallest: difference, slow: null };
    this.#origins.delete(name);
    this.#origins.set(name, origin);
    if (this.#origins.size > originsMax) {
      const [oldest] = this.#origins.keys();
      if (oldest !== undefined) this.#origins.delete(oldest);
    }
    return origin;
  }
}
