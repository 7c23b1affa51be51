import { formatDuration } from '../../foundation/duration.ts';
import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, entryOf, Findings, type Law, type Verdict } from '../law.ts';

type Evicted = EventOf<'cache.evicted'>;

/** A version that everybody must serve from some time on, and why. */
interface Demand {
  readonly version: number;
  readonly evicted: Evicted;
}

interface CachedKey {
  /** Versions of the source, in their order. */
  readonly versions: number[];
  readonly demands: Demand[];
}

/** More evictions than this lie within one bound only where nobody could tell them apart. */
const demandsKept = 64;

/**
 * After an eviction was acknowledged, no node serves a value loaded before it for longer than the
 * bound. What the broker itself has forgotten is measured from then.
 */
export class StaleCachesEnd implements Law {
  readonly name = 'stale-caches-end';
  readonly promise = 'what was evicted is served by no node longer than the bound';
  readonly #boundMs: number;
  readonly #findings = new Findings();
  readonly #keys = new Map<string, Map<string, CachedKey>>();
  readonly #asks = new Map<string, EventOf<'cache.ask'>>();
  #forgottenMs = Number.NEGATIVE_INFINITY;

  constructor(boundMs: number) {
    this.#boundMs = boundMs;
  }

  get violations(): number {
    return this.#findings.violations;
  }

  observe(event: HistoryEvent): void {
    switch (event.ev) {
      case 'cache.change':
        this.#keyOf(event.region, event.key).versions.push(event.version);
        return;
      case 'cache.evicted':
        return this.#evicted(event);
      case 'cache.forgotten':
        this.#forgottenMs = event.atMs;
        return;
      case 'cache.ask':
        this.#asks.set(event.id, event);
        return;
      case 'cache.answer':
        return this.#answered(event);
      default:
        return;
    }
  }

  verdict(): Verdict {
    const { checked } = this.#findings;
    return this.#findings.verdict(
      `${counted(checked, 'value')} served after an eviction`,
      checked === 0 ? 'no value was asked for long enough after an eviction' : null,
    );
  }

  #evicted(evicted: Evicted): void {
    for (const [key, { versions, demands }] of this.#keys.get(evicted.region) ?? []) {
      if (!covers(evicted, key)) continue;
      const version = versions.findLast((each) => each <= evicted.version);
      if (version === undefined || version <= (demands.at(-1)?.version ?? -1)) continue;
      demands.push({ version, evicted });
      if (demands.length > demandsKept) demands.shift();
      versions.splice(0, versions.indexOf(version));
    }
  }

  #answered(answer: EventOf<'cache.answer'>): void {
    const ask = this.#asks.get(answer.id);
    this.#asks.delete(answer.id);
    if (!ask) return;
    const { demands } = this.#keyOf(ask.region, ask.key);
    const due = demands.findLast(({ evicted }) => {
      return Math.max(evicted.atMs, this.#forgottenMs) + this.#boundMs < ask.atMs;
    });
    if (!due) return;
    this.#findings.checked += 1;
    if (answer.version >= due.version) return;
    const lateMs = ask.atMs - due.evicted.atMs;
    this.#findings.violated(
      `${ask.nodeId} served version ${answer.version} of ${ask.key}, ${formatDuration(lateMs)} after the eviction of all before ${due.version}`,
      due.evicted,
      ask,
      answer,
    );
  }

  #keyOf(region: string, key: string): CachedKey {
    const keys = entryOf(this.#keys, region, () => new Map<string, CachedKey>());
    return entryOf(keys, key, () => ({ versions: [], demands: [] }));
  }
}

function covers({ scope, key }: Evicted, other: string): boolean {
  if (scope === 'region') return true;
  return scope === 'key' ? other === key : other.startsWith(key);
}
