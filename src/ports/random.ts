/**
 * The only door to chance.
 *
 * Laws, each a test in `test/conformance/random.ts`:
 *  1. `fraction` is in [0, 1).
 *  2. `token(bytes)` has 8 bits of chance a byte, written in `[0-9a-v]`; two never collide in practice.
 */
export interface Random {
  fraction(): number;
  token(bytes: number): string;
}
