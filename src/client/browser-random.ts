import type { Random } from '../ports/random.ts';

const alphabet = '0123456789abcdefghijklmnopqrstuv';

/** Chance from the Web Crypto API, which browsers and Node.js both have. */
export const browserRandom: Random = {
  fraction: () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32,
  /** Five bits a letter, so `8 * bytes / 5` letters, rounded up: never less chance than asked for. */
  token(bytes) {
    const letters = crypto.getRandomValues(new Uint8Array(Math.ceil((bytes * 8) / 5)));
    return Array.from(letters, (letter) => alphabet[letter & 31]).join('');
  },
};
