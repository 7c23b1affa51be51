import type { Random } from '../../ports/random.ts';
import type { Timeline } from './timeline.ts';

/** How the network behaves in a run, beside its cuts. */
export interface NetworkManners {
  /** From one machine to another, at best, and how much more it often is. */
  readonly delayMs: number;
  readonly jitterMs: number;
}

/** What is under way from one place to another. */
export interface Parcel {
  readonly from: string;
  readonly to: string;
  /** Beyond what the network takes. */
  readonly extraMs?: number;
  /** Does not wait for what was sent before it on the same way. */
  readonly overtakes?: boolean;
  arrive(): void;
  /** It will never arrive; nobody is told on the way. */
  lost?(): void;
}

interface Way {
  lastMs: number;
  cuts: number;
  /** What TCP goes on trying to bring while the way is cut. */
  stalled: Parcel[];
}

/** Segments sent into a cut are repeated, and may arrive when it is over. */
const stalledMax = 256;

/**
 * Brings things from one machine to another: in order on each way, as a connection does, unless
 * they are to overtake. A cut way brings nothing; what was sent into it comes when the cut ends, or never.
 */
export class SimNetwork {
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #manners: NetworkManners;
  readonly #ways = new Map<string, Map<string, Way>>();

  constructor(timeline: Timeline, random: Random, manners: NetworkManners) {
    this.#timeline = timeline;
    this.#random = random;
    this.#manners = manners;
  }

  /** Whether it is under way, and not stuck before a cut. */
  send(parcel: Parcel): boolean {
    const way = this.#way(parcel.from, parcel.to);
    if (way.cuts > 0) {
      if (way.stalled.length < stalledMax) way.stalled.push(parcel);
      else parcel.lost?.();
      return false;
    }
    const { delayMs, jitterMs } = this.#manners;
    const tookMs = delayMs + jitterMs * this.#random.fraction() ** 3 + (parcel.extraMs ?? 0);
    let atMs = this.#timeline.nowMs + tookMs;
    if (!parcel.overtakes) {
      atMs = Math.max(atMs, way.lastMs);
      way.lastMs = atMs;
    }
    this.#timeline.at(atMs, parcel.arrive);
    return true;
  }

  isCut(from: string, to: string): boolean {
    return this.#way(from, to).cuts > 0;
  }

  /** One way only; answers how to mend it. */
  cut(from: string, to: string): (delivers: boolean) => void {
    const way = this.#way(from, to);
    way.cuts += 1;
    let mended = false;
    return (delivers) => {
      if (mended) return;
      mended = true;
      way.cuts -= 1;
      if (way.cuts > 0) return;
      const stalled = way.stalled;
      way.stalled = [];
      for (const parcel of stalled) {
        if (delivers) this.send(parcel);
        else parcel.lost?.();
      }
    };
  }

  #way(from: string, to: string): Way {
    let ways = this.#ways.get(from);
    if (ways === undefined) {
      ways = new Map();
      this.#ways.set(from, ways);
    }
    let way = ways.get(to);
    if (way === undefined) {
      way = { lastMs: 0, cuts: 0, stalled: [] };
      ways.set(to, way);
    }
    return way;
  }
}
