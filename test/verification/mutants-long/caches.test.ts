import { describe, expect, it } from 'vitest';
import { mutantOutcome } from '../support/mutant-outcome.ts';
import type { MutantRequest, Mutation } from '../support/mutant-run.ts';

const law = 'stale-caches-end';
const seeds = 300;
/** What makes announcements go astray, proofs grow old and brokers forget. */
const faults = [
  'pause',
  'cut-broker',
  'broker-restart',
  'broker-rewind',
  'subscriber-cut',
  'subscriber-deaf',
  'bus-noise',
] as const;

/** The mechanisms that end stale caches, each taken out once. */
const mutants: readonly { readonly name: string; readonly mutations: readonly Mutation[] }[] = [
  {
    name: 'a value is served however long ago it was proved to be current',
    mutations: [
      {
        file: 'runtime/cache/cache-region.ts',
        from: 'agoMs !== null && agoMs <= this.settings.stalenessMs;',
        to: 'agoMs !== null;',
      },
    ],
  },
  {
    name: 'nobody notices that the last announcement was lost',
    mutations: [
      {
        file: 'runtime/cache/region-stamps.ts',
        from: "if (!missed || known.count >= missed.stamp.count) return 'pending';",
        to: 'if (missed !== undefined) return this.#confirm(asked);',
      },
    ],
  },
  {
    name: 'a gap between two announcements does not matter',
    mutations: [
      {
        file: 'runtime/cache/cache-region.ts',
        from: "if (heard === 'gap') this.#missed();",
        to: '',
      },
    ],
  },
  {
    name: 'a load that an eviction overtook is kept',
    mutations: [
      {
        file: 'runtime/cache/cache-region.ts',
        from: 'if (!running.spoiled) this.#entries.set',
        to: 'if (running.key) this.#entries.set',
      },
    ],
  },
  {
    // Whoever reads looks, too, for as long as the eviction is remembered: either is enough until then.
    name: 'a load that an eviction overtook is shared through the broker, and read',
    mutations: [
      {
        file: 'drivers/memory/memory-cache-book.ts',
        from: 'if (lastEviction(region, key, nowMs) > mark.count) return false;',
        to: '',
      },
      {
        file: 'drivers/memory/memory-cache-book.ts',
        from: 'found && found.expiresMs > nowMs && found.count >= lastEviction(region, key, nowMs);',
        to: 'found && found.expiresMs > nowMs;',
      },
    ],
  },
  {
    name: 'evictions that the broker has forgotten are not repeated',
    mutations: [
      {
        file: 'runtime/cache/caches.ts',
        from: "if (found && (isShared || !isKnown || cause === 'rewound')) {",
        to: 'if (found && isKnown === undefined) {',
      },
    ],
  },
];

describe('a mechanism of the caches that is missing', () => {
  it.each(mutants)('is found out: $name', { timeout: 600_000 }, async ({ name, mutations }) => {
    // Next to no documents: the caches are what this is about.
    const shape = { nodes: 3, hours: 0.1, documents: 1, peers: 2, faults };
    const request: MutantRequest = { mutations, seeds, shape, law };
    const { seed, laws } = await mutantOutcome(request);
    expect(seed, 'the seed that finds it out').not.toBeNull();
    expect(laws).toContain(law);
    process.stdout.write(`${name}: ${laws.join(', ')} in seed ${seed}\n`);
  });
});
