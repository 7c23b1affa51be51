import type { Random } from '../ports/random.ts';

const alphabet = '0123456789abcdefghijklmnopqrstuv';

/** Chance that is the same for the same seed (mulberry32), so that a run can be repeated. */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  token(bytes: number): string {
    const length = Math.ceil((bytes * 8) / 5);
    return Array.from({ length }, () => alphabet[Math.floor(this.fraction() * 32)]).join('');
  }
}
