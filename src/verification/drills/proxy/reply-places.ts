type Place<Late> =
  | { readonly kind: 'plain'; count: number }
  | { readonly kind: 'late'; readonly late: Late }
  | { readonly kind: 'forged'; readonly reply: Buffer }
  | { readonly kind: 'subscription'; left: number; readonly isOpen: boolean };

const placesMax = 65_536;

/**
 * The order in which one connection gets its replies, so that one of ours comes exactly where the
 * broker's would have come. Pushes have no place; SUBSCRIBE and its like are answered by one push a
 * channel, or by one error.
 */
export class ReplyPlaces<Late> {
  readonly #places: Place<Late>[] = [];
  #isLost = false;

  /** False when the count was lost: then no reply can be forged any more. */
  get isKnown(): boolean {
    return !this.#isLost;
  }

  /** From here on replies cannot be counted. */
  lose(): void {
    this.#isLost = true;
    this.#places.length = 0;
  }

  expectPlain(): void {
    if (this.#isLost) return;
    const last = this.#places.at(-1);
    if (last?.kind === 'plain') last.count += 1;
    else this.#add({ kind: 'plain', count: 1 });
  }

  expectLate(late: Late): void {
    this.#add({ kind: 'late', late });
  }

  /** `channels` 0: from all of them, however many that are. */
  expectSubscription(channels: number): void {
    this.#add({ kind: 'subscription', left: Math.max(1, channels), isOpen: channels === 0 });
  }

  forge(reply: Buffer): void {
    this.#add({ kind: 'forged', reply });
  }

  /** The forged replies whose turn it is now. */
  takeForged(): Buffer | null {
    const due: Buffer[] = [];
    for (let first = this.#next(); first?.kind === 'forged'; first = this.#next()) {
      due.push(first.reply);
      this.#places.shift();
    }
    return due.length > 0 ? Buffer.concat(due) : null;
  }

  /** A reply of the broker begins; answers what was said of it when it was expected. */
  replied(isError: boolean): Late | null {
    if (!isError) this.#dropSubscriptions();
    const first = this.#next();
    if (first === undefined || first.kind === 'forged') return null;
    if (first.kind === 'plain') {
      first.count -= 1;
      if (first.count > 0) return null;
    }
    this.#places.shift();
    return first.kind === 'late' ? first.late : null;
  }

  /** The broker confirms that one channel was subscribed or left. */
  confirmed(): void {
    const first = this.#next();
    if (first?.kind !== 'subscription') return;
    first.left -= 1;
    if (first.left <= 0 && !first.isOpen) this.#places.shift();
  }

  /** The first place that is not known to be over. */
  #next(): Place<Late> | undefined {
    const [first, second] = this.#places;
    const isOver = first?.kind === 'subscription' && first.left <= 0;
    if (!isOver || second === undefined) return first;
    this.#places.shift();
    return this.#next();
  }

  #dropSubscriptions(): void {
    while (this.#places[0]?.kind === 'subscription') this.#places.shift();
  }

  #add(place: Place<Late>): void {
    if (this.#isLost) return;
    if (this.#places.length < placesMax) this.#places.push(place);
    else this.lose();
  }
}
