import { cacheLimits } from '../../foundation/limits.ts';
import type { CacheStamp } from '../../ports/cache-records.ts';
import type { Clock } from '../../ports/clock.ts';

/** What an announcement is to what was heard before it. */
export type Heard = 'next' | 'known' | 'gap' | 'rewound';

/** What a look at the broker proves. */
export type Looked = 'confirmed' | 'pending' | 'gap' | 'rewound';

/** When a look was sent, and which stamp was known then. */
export interface Asked {
  readonly monotonicMs: number;
  readonly wallMs: number;
  readonly known: CacheStamp | null;
}

/**
 * Which evictions of a region this node has heard of, and since when it is not proved that these are
 * all. Each announcement names the stamp before it, so a missing one shows with the next; a look at
 * the broker shows that the last one is missing.
 */
export class RegionStamps {
  readonly #clock: Clock;
  #known: CacheStamp | null = null;
  /** Count to token of the latest stamps heard in a row. */
  readonly #recent = new Map<number, string>();
  #confirmed: Asked | null = null;
  /** The broker was ahead of what we heard: the announcements may be on their way. */
  #ahead: { readonly stamp: CacheStamp; readonly asked: Asked } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get known(): CacheStamp | null {
    return this.#known;
  }

  ask(): Asked {
    const clock = this.#clock;
    return { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs(), known: this.#known };
  }

  /** Starts from this stamp, whatever was known: nothing older may be served. */
  adopt(stamp: CacheStamp, asked: Asked): void {
    this.#recent.clear();
    this.#advance(stamp);
    this.#ahead = null;
    this.#confirmed = asked;
  }

  heard(stamp: CacheStamp, before: string): Heard {
    const known = this.#known;
    if (!known) return 'known';
    if (stamp.count === known.count + 1) {
      if (before !== known.token) return this.#rewound(stamp);
      this.#advance(stamp);
      return 'next';
    }
    if (stamp.count <= known.count) {
      const token = this.#recent.get(stamp.count) ?? stamp.token;
      if (token === stamp.token) return 'known';
    }
    if (stamp.count <= known.count) return this.#rewound(stamp);
    this.#recent.clear();
    this.#advance(stamp);
    return 'gap';
  }

  looked(stamp: CacheStamp, asked: Asked): Looked {
    const known = this.#known;
    const before = asked.known;
    // Not joined, or rewound: a look alone proves nothing.
    if (!known || !before || !this.#confirmed) return 'pending';
    if (stamp.count >= before.count && this.#wasHeard(stamp)) return this.#confirm(asked);
    if (stamp.count < before.count || (stamp.count === known.count && !isSame(stamp, known))) {
      return this.#rewound(stamp);
    }
    // Announcements came while the answer was under way, some of them before it.
    if (stamp.count <= known.count) return 'pending';
    const missed = this.#ahead;
    this.#ahead = { stamp, asked };
    if (!missed || known.count >= missed.stamp.count) return 'pending';
    this.adopt(stamp, asked);
    return 'gap';
  }

  /** Nothing is proved until the region was joined again. */
  doubt(): void {
    this.#confirmed = null;
  }

  get isProved(): boolean {
    return this.#confirmed !== null;
  }

  /** Since the last proof, by the clock that says more: a machine that slept has one that says less. */
  confirmedAgoMs(): number | null {
    const confirmed = this.#confirmed;
    if (!confirmed) return null;
    const now = this.ask();
    return Math.max(now.monotonicMs - confirmed.monotonicMs, now.wallMs - confirmed.wallMs);
  }

  /** The broker has forgotten evictions; until they are repeated, nothing is proved. */
  #rewound(stamp: CacheStamp): 'rewound' {
    this.#recent.clear();
    this.#ahead = null;
    this.#advance(stamp);
    this.#confirmed = null;
    return 'rewound';
  }

  #confirm(asked: Asked): 'confirmed' {
    this.#confirmed = asked;
    this.#ahead = null;
    return 'confirmed';
  }

  #advance(stamp: CacheStamp): void {
    this.#known = stamp;
    this.#recent.set(stamp.count, stamp.token);
    if (this.#recent.size > cacheLimits.stampsKept) {
      const [oldest] = this.#recent.keys();
      this.#recent.delete(oldest as number);
    }
    if (this.#ahead && this.#wasHeard(this.#ahead.stamp)) this.#confirm(this.#ahead.asked);
  }

  #wasHeard(stamp: CacheStamp): boolean {
    return this.#recent.get(stamp.count) === stamp.token;
  }
}

function isSame(a: CacheStamp, b: CacheStamp): boolean {
  return a.count === b.count && a.token === b.token;
}
