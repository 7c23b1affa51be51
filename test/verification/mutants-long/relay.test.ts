import { describe, expect, it } from 'vitest';
import { mutantOutcome } from '../support/mutant-outcome.ts';
import type { MutantRequest, Mutation } from '../support/mutant-run.ts';

interface Mutant {
  readonly name: string;
  readonly law: 'relay-frames-once' | 'relay-one-way';
  readonly mutations: readonly Mutation[];
}

/** The mechanisms that exist for the relay's laws, each taken out once. */
const mutants: readonly Mutant[] = [
  {
    name: 'the receiver takes a frame again that it had',
    law: 'relay-frames-once',
    mutations: [
      {
        file: 'client/relay-pipe.ts',
        from: 'if (id <= this.#received) return this.#ackSoon();',
        to: '',
      },
      {
        file: 'client/relay-pipe.ts',
        from: 'this.#received = id;',
        to: 'this.#received = Math.max(id, this.#received);',
      },
    ],
  },
  {
    name: 'the receiver takes frames over a gap',
    law: 'relay-frames-once',
    mutations: [
      {
        file: 'client/relay-pipe.ts',
        from: 'if (id > this.#received + 1) {',
        to: 'if (id < 0) {',
      },
    ],
  },
  {
    name: 'what was lost on the way is not sent again',
    law: 'relay-frames-once',
    mutations: [
      {
        file: 'client/relay-pipe.ts',
        from: 'if (id > first && !this.#parts.data(id, payload)) return;',
        to: 'if (id < first) this.#parts.data(id, payload);',
      },
    ],
  },
  {
    name: 'nobody asks after an acknowledgement that was lost',
    law: 'relay-frames-once',
    mutations: [
      {
        file: 'client/relay-pipe.ts',
        from: 'this.#parts.probe();',
        to: '',
      },
    ],
  },
  {
    name: 'another daemon is sent what its predecessor may have had',
    law: 'relay-frames-once',
    mutations: [
      {
        file: 'client/relay-pipe.ts',
        from: "for (const { reject } of lost) reject(new BackplaneError('RELAY_LOST', why));",
        to: 'this.#waiting.unshift(...lost);',
      },
    ],
  },
  {
    name: 'a frame that may have arrived is called unsent',
    law: 'relay-frames-once',
    mutations: [
      {
        file: 'client/relay-pipe.ts',
        from: "reject(new BackplaneError('RELAY_LOST', why));",
        to: "reject(new BackplaneError('RELAY_LOST', why, { certainty: 'definite' }));",
      },
    ],
  },
  {
    name: 'a connection that was sent elsewhere is forwarded as well',
    law: 'relay-one-way',
    mutations: [
      {
        file: 'runtime/relay/browser-seat.ts',
        from: 'const url = mayRedirect && !this.#hasForwarded ? redirectTarget(holder) : null;',
        to: 'const url = mayRedirect ? redirectTarget(holder) : null;',
      },
    ],
  },
  {
    name: 'a redirected browser is redirected again',
    law: 'relay-one-way',
    mutations: [
      {
        file: 'gateway/read-relay-request.ts',
        from: "const mayMove = wish !== 'never' && hops === 0;",
        to: "const mayMove = wish !== 'never' && hops >= 0;",
      },
    ],
  },
];

/** Worlds without workspaces would find out nothing. */
const everyWorld: Mutation = {
  file: 'verification/simulation/sim-relays.ts',
  from: 'return seed % 3 === 0;',
  to: 'return seed > 0;',
};

describe.each(mutants)('when $name', ({ law, mutations }) => {
  it(`the simulation sees that ${law} is broken`, { timeout: 240_000 }, async () => {
    const request: MutantRequest = {
      mutations: [...mutations, everyWorld],
      seeds: 40,
      shape: { nodes: 3, hours: 0.1 },
    };
    const { seed, laws, claim } = await mutantOutcome(request);
    expect(seed, 'no seed found it out').not.toBeNull();
    expect(laws, `seed ${seed}: ${claim}`).toContain(law);
  });
});
