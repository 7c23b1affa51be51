import type { Random } from '../../../ports/random.ts';
import { SeededRandom } from '../../seeded-random.ts';
import type { LoadFollower } from './load-follower.ts';

/** Payloads are cut out of this much chance, so that none costs more than a cut. */
const pool = 65_536;
/** What stands around the text of a payload. */
const frameBytes = '{"12":""}'.length;
/** Each change replaces one of so many, so that the document does not grow with the load. */
const places = 16;

/**
 * Who does what next. Ops, awareness and requests are drawn apart, so that how fast the one goes
 * does not change what the other draws.
 */
export class LoadDraw {
  readonly #ops: Random;
  readonly #awareness: Random;
  readonly #requests: Random;
  readonly #text: string;
  readonly #textLength: number;

  constructor(random: Random, payloadBytes: number) {
    const drawn = () => new SeededRandom(Math.floor(random.fraction() * 2 ** 32));
    this.#ops = drawn();
    this.#awareness = drawn();
    this.#requests = drawn();
    this.#textLength = Math.max(0, payloadBytes - frameBytes);
    this.#text = drawn().token(Math.ceil(((pool + this.#textLength) * 5) / 8));
  }

  op(followers: readonly (readonly LoadFollower[])[]): {
    readonly follower: LoadFollower;
    readonly payload: Readonly<Record<string, string>>;
  } {
    const follower = pick(followers, this.#ops);
    const place = 10 + Math.floor(this.#ops.fraction() * places);
    const at = Math.floor(this.#ops.fraction() * pool);
    return { follower, payload: { [place]: this.#text.slice(at, at + this.#textLength) } };
  }

  awarenessOf(followers: readonly (readonly LoadFollower[])[]): LoadFollower {
    return pick(followers, this.#awareness);
  }

  requestOf(followers: readonly (readonly LoadFollower[])[]): LoadFollower {
    return pick(followers, this.#requests);
  }
}

function pick(followers: readonly (readonly LoadFollower[])[], random: Random): LoadFollower {
  const one = <T>(some: readonly T[]) => some[Math.floor(random.fraction() * some.length)] as T;
  return one(one(followers));
}
