/** What a bucket is made of, and how two become one. */
export interface BucketKind<Bucket> {
  make(): Bucket;
  /** Takes a later one into an earlier one. */
  merge(into: Bucket, later: Bucket): void;
}

const bucketsMax = 1_000;
const firstWidthMs = 10;

/**
 * Time in equal buckets, never more than a thousand: when a run is longer than they reach, two
 * neighbours become one, and each is twice as wide.
 */
export class TimeBuckets<Bucket> {
  readonly #kind: BucketKind<Bucket>;
  /** Absent where nothing happened. */
  #buckets: (Bucket | undefined)[] = [];
  #widthMs = firstWidthMs;

  constructor(kind: BucketKind<Bucket>) {
    this.#kind = kind;
  }

  get widthMs(): number {
    return this.#widthMs;
  }

  /** The bucket of a time since the start. */
  at(sinceMs: number): Bucket {
    while (sinceMs >= this.#widthMs * bucketsMax) {
      this.#buckets = this.#joined(2);
      this.#widthMs *= 2;
    }
    const index = Math.floor(Math.max(0, sinceMs) / this.#widthMs);
    const known = this.#buckets[index];
    if (known !== undefined) return known;
    const made = this.#kind.make();
    this.#buckets[index] = made;
    return made;
  }

  /** All of them up to a time, joined until there are no more than wanted. */
  joined(untilMs: number, countMax: number): { widthMs: number; buckets: (Bucket | undefined)[] } {
    const count = Math.floor(untilMs / this.#widthMs) + 1;
    const share = Math.max(1, Math.ceil(count / Math.min(countMax, bucketsMax)));
    const buckets = this.#joined(share);
    buckets.length = Math.ceil(count / share);
    return { widthMs: this.#widthMs * share, buckets };
  }

  /** Each is a new one, so that what was joined for a picture can go on growing. */
  #joined(share: number): (Bucket | undefined)[] {
    const joined: (Bucket | undefined)[] = [];
    this.#buckets.forEach((bucket, index) => {
      if (bucket === undefined) return;
      const at = Math.floor(index / share);
      joined[at] ??= this.#kind.make();
      this.#kind.merge(joined[at], bucket);
    });
    return joined;
  }
}
