import { randomBytes } from 'node:crypto';
import type { Random } from '../../ports/random.ts';

const alphabet = '0123456789abcdefghijklmnopqrstuv';

/** Chance from the machine's cryptographic generator, tokens written in base32. */
export class SystemRandom implements Random {
  fraction(): number {
    return randomBytes(6).readUIntBE(0, 6) / 2 ** 48;
  }

  token(bytes: number): string {
    let token = '';
    let bits = 0;
    let value = 0;
    for (const byte of randomBytes(bytes)) {
      value = (value << 8) | byte;
      bits += 8;
      while (bits >= 5) {
        bits -= 5;
        token += alphabet[(value >>> bits) & 31];
      }
      value &= 31;
    }
    return bits > 0 ? token + alphabet[(value << (5 - bits)) & 31] : token;
  }
}
