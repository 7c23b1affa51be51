import { randomBytes } from 'node:crypto';
import type { Random } from '../../ports/random.ts';

const alphabet = '0123456789abcdefghijklmnopqrstuv';

/** Chance from the operating system. Tokens are written five bits a letter. */
export class SystemRandom implements Random {
  fraction(): number {
    return Math.random();
  }

  token(bytes: number): string {
    let text = '';
    let bits = 0;
    let held = 0;
    for (const byte of randomBytes(bytes)) {
      held = (held << 8) | byte;
      bits += 8;
      while (bits >= 5) {
        bits -= 5;
        text += alphabet[(held >> bits) & 31];
      }
      held &= (1 << bits) - 1;
    }
    return bits > 0 ? text + alphabet[(held << (5 - bits)) & 31] : text;
  }
}
