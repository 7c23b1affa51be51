import { describe, expect, it } from 'vitest';
import { mutantOutcome } from '../support/mutant-outcome.ts';
import type { MutantRequest, Mutation } from '../support/mutant-run.ts';

interface Mutant {
  readonly name: string;
  /** Laws of which one has to find it out. */
  readonly laws: readonly string[];
  readonly mutations: readonly Mutation[];
}

/** The mechanisms that keep presence right, each taken out once. */
const mutants: readonly Mutant[] = [
  {
    name: 'nobody notices that the last change was lost',
    laws: ['presence-converges', 'group-changes-kept'],
    mutations: [
      {
        file: 'runtime/presence/hub-feeds.ts',
        from: 'else await followed.feed.compare().then((versions) => compared(hub, versions));',
        to: 'else compared(hub, new Map());',
      },
      {
        file: 'runtime/presence/presence.ts',
        from: 'this.own.rewrite(hub);',
        to: ';',
      },
    ],
  },
  {
    name: 'a gap between two changes does not matter',
    laws: ['presence-converges', 'group-changes-kept'],
    mutations: [
      {
        file: 'runtime/presence/hub-feed.ts',
        from: 'const changes = from === known ? this.#changesOf(frame) : null;',
        to: 'const changes = from === known || known > 0 ? this.#changesOf(frame) : null;',
      },
    ],
  },
  {
    name: 'a new session does not register anew',
    laws: ['presence-converges'],
    mutations: [
      {
        file: 'runtime/presence/presence.ts',
        from: 'this.own.reopened(session);',
        to: '',
      },
      {
        file: 'runtime/presence/presence.ts',
        from: 'this.own.rewrite(hub);',
        to: ';',
      },
    ],
  },
  {
    name: 'the connections of the dead stay',
    laws: ['presence-converges'],
    mutations: [
      {
        file: 'runtime/presence/presence.ts',
        from: 'parts.watch.onDeath((one) => this.feeds.drop(one));',
        to: '',
      },
      {
        file: 'runtime/presence/hub-feed.ts',
        from: 'if (!versions.has(one) && isUntouched(one)) this.replica.drop(one);',
        to: '',
      },
    ],
  },
  {
    name: 'nobody sweeps what the dead have registered',
    laws: ['nothing-left-behind'],
    mutations: [
      {
        file: 'runtime/sessions/sweeper.ts',
        from: 'done = (await this.#parts.registry.clear(session)).done;',
        to: 'done = true;',
      },
    ],
  },
  {
    name: 'a dead session can register',
    laws: ['nothing-left-behind', 'presence-converges'],
    mutations: [
      {
        file: 'drivers/memory/memory-registry.ts',
        from: "if (!sessions.lives(session)) return { status: 'dead' };\n      const held",
        to: 'const held',
      },
    ],
  },
  {
    name: 'who joins a group leaves those that others had it join',
    laws: ['group-changes-kept'],
    mutations: [
      {
        file: 'runtime/presence/own-connections.ts',
        from: '[...connection.groups, ...change.join]',
        to: '[...connection.groups.slice(-1), ...change.join]',
      },
    ],
  },
  {
    name: 'a new session forgets the groups joined later',
    laws: ['group-changes-kept'],
    mutations: [
      {
        file: 'runtime/presence/own-connections.ts',
        from: 'connections.put({ ...connection, session });',
        to: 'connections.put({ ...connection, session, groups: [] });',
      },
    ],
  },
];

describe('a mechanism of presence that is missing', () => {
  it.each(mutants)('is found out: $name', { timeout: 900_000 }, async ({
    name,
    laws,
    mutations,
  }) => {
    const request: MutantRequest = { mutations, seeds: 300, shape: { nodes: 4, hours: 0.1 } };
    const outcome = await mutantOutcome(request);
    expect(outcome.seed, 'the seed that finds it out').not.toBeNull();
    expect(
      outcome.laws.some((law) => laws.includes(law)),
      outcome.laws.join(', '),
    ).toBe(true);
    process.stdout.write(`${name}: ${outcome.laws.join(', ')} in seed ${outcome.seed}\n`);
  });
});
