import { expect } from 'vitest';
import type { Random } from '../../src/ports/random.ts';
import { type Fixture, type LawOptions, lawSuite } from './law-suite.ts';

export interface RandomFixture extends Fixture {
  readonly random: Random;
}

/** The laws of `ports/random.ts`. */
export function randomLaws(
  name: string,
  open: () => Promise<RandomFixture>,
  options: LawOptions = {},
): void {
  lawSuite(`the random ${name}`, open, options, (law) => {
    law('1. fraction is in [0, 1) and spread over it', async ({ random }) => {
      const tenths = new Array<number>(10).fill(0);
      for (let draw = 0; draw < 10_000; draw++) {
        const fraction = random.fraction();
        expect(fraction >= 0 && fraction < 1).toBe(true);
        tenths[Math.floor(fraction * 10)]! += 1;
      }
      // A thousand each, give or take ten standard deviations.
      for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(300);
    });

    law('2. token is written in [0-9a-v] and long enough for 8 bits a byte', async ({ random }) => {
      for (const size of [1, 2, 4, 5, 8, 10, 16, 32]) {
        const token = random.token(size);
        expect(token).toMatch(/^[0-9a-v]+$/);
        expect(token.length * 5).toBeGreaterThanOrEqual(size * 8);
      }
    });

    law('2. every place of a token takes every letter', async ({ random }) => {
      const places = Array.from({ length: random.token(5).length }, () => new Set<string>());
      for (let draw = 0; draw < 2_000; draw++) {
        for (const [place, letter] of [...random.token(5)].entries()) places[place]!.add(letter);
      }
      for (const letters of places) expect(letters.size).toBe(32);
    });

    law('2. two tokens do not collide', async ({ random }) => {
      const tokens = new Set(Array.from({ length: 20_000 }, () => random.token(10)));
      expect(tokens.size).toBe(20_000);
    });
  });
}
