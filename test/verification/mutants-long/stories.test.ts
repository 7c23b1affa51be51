import { describe, expect, it } from 'vitest';
import { mutantOutcome } from '../support/mutant-outcome.ts';
import type { MutantOutcome, Mutation } from '../support/mutant-run.ts';
import { regressions, scenarioText } from '../support/regressions.ts';

interface StoryMutant {
  readonly name: string;
  readonly scenario: string;
  readonly law: string;
  readonly mutations: readonly Mutation[];
}

const readBeforeFence: Mutation = {
  file: 'runtime/leases/take-document.ts',
  from: 'const { head, snapshot } = await fence(parts, doc, session, claimedEpoch);',
  to: 'const before = await parts.store.head(doc); const snapshot = await parts.store.readSnapshot(doc); const fenced = await fence(parts, doc, session, claimedEpoch); const head = before ? { ...before, epoch: fenced.head.epoch } : fenced.head;',
};
/** A store that takes what it is given, wherever its log ends. */
const logNotCompared: readonly Mutation[] = [
  {
    file: 'drivers/memory/memory-document.ts',
    from: 'if (after.seq !== end.seq || after.chain !== end.chain) return',
    to: 'if (after.seq < -1) return',
  },
  {
    file: 'drivers/memory/memory-document.ts',
    from: "invariant(op.seq === after.seq + 1 + i, 'the ops of an append are consecutive');",
    to: "invariant(op.seq > i, 'the ops of an append are consecutive');",
  },
];
const releaseFirst: Mutation = {
  file: 'runtime/documents/documents.ts',
  from: '    await document.drain();\n    await this.#snapshots.saveIfWorthIt(document);\n    this.#forget(document);',
  to: "    await this.#parts.leases.release(document.doc, document.session, document.epoch, successor, 'living');\n    await document.drain();\n    await this.#snapshots.saveIfWorthIt(document);\n    this.#forget(document);",
};
const noWaitForClosing: Mutation = {
  file: 'runtime/documents/documents.ts',
  from: 'if (closing) await closing.catch(() => {});',
  to: 'if (closing) closing.catch(() => {});',
};
const supersededGoesOn: Mutation = {
  file: 'runtime/leases/take-document.ts',
  from: "if (confirmed === 'superseded') {",
  to: 'if (confirmed === null) {',
};

/** Each taken out once, in the story in which it is missed. */
const mutants: readonly StoryMutant[] = [
  {
    name: 'the log is read before the fence',
    scenario: 'owner-writes-until-it-is-fenced.txt',
    law: 'nothing-unexpected',
    mutations: [readBeforeFence],
  },
  {
    name: 'the log is read before the fence, and not compared before a write',
    scenario: 'another-writes-after-the-fence.txt',
    law: 'acked-is-kept',
    mutations: [readBeforeFence, ...logNotCompared],
  },
  {
    name: 'a claim is confirmed whatever stands there by then',
    scenario: 'confirmed-too-late.txt',
    law: 'living-are-kept',
    mutations: [
      {
        file: 'drivers/memory/memory-leases.ts',
        from: "if (!same(directory.get(doc), claimed)) return 'superseded';",
        to: '',
      },
    ],
  },
  {
    name: 'the session is not checked again after the document was loaded',
    scenario: 'session-lost-while-loading.txt',
    law: 'ops-end',
    mutations: [
      {
        file: 'runtime/documents/documents.ts',
        from: 'this.#requireSession(session);\n      const document = new',
        to: 'const document = new',
      },
    ],
  },
  {
    name: 'what a dead session has claimed is written down',
    scenario: 'claimed-after-its-death.txt',
    law: 'nothing-left-behind',
    mutations: [
      {
        file: 'drivers/memory/memory-leases.ts',
        from: "if (naming === 'living' && !sessions.lives(session)) return { status: 'dead' };",
        to: '',
      },
    ],
  },
  {
    name: 'a dead session is handed a document',
    scenario: 'handed-to-the-dead.txt',
    law: 'nothing-left-behind',
    mutations: [
      {
        file: 'drivers/memory/memory-leases.ts',
        from: "successor === null || (naming === 'living' && !sessions.lives(successor));",
        to: 'successor === null;',
      },
    ],
  },
  {
    name: 'a document is released before it is forgotten, and used while it is being closed',
    scenario: 'forgotten-before-it-is-released.txt',
    law: 'no-answer-below-epoch',
    mutations: [releaseFirst, noWaitForClosing],
  },
];

/** Each alone breaks no law, because the other holds. */
const eitherOf = [
  ['forgotten-before-it-is-released.txt', 'the order of a release', releaseFirst],
  ['forgotten-before-it-is-released.txt', 'waiting for what is being closed', noWaitForClosing],
  ['confirmed-too-late.txt', 'stepping down when superseded', supersededGoesOn],
] as const;

/** They cost no law, but time: the story names a time until which something has to happen. */
const slow = [
  [
    'rewound-broker-slow-takeover.txt',
    'leaving a session that a rewound broker still has',
    {
      file: 'runtime/sessions/session-keeper.ts',
      from: 'await this.#leave(held).catch((error) => this.#report(error));\n    await this.#reopen();',
      to: 'await this.#reopen();',
    },
  ],
  [
    'subscriber-cut-and-restored.txt',
    'looking at the log when the subscriber connection is there again',
    {
      file: 'runtime/documents/feeds.ts',
      from: 'for (const { feed } of this.#feeds.values()) feed?.resume();',
      to: '',
    },
  ],
  [
    'wiped-broker-noticed-at-once.txt',
    'renewing when the connections are there again',
    {
      file: 'runtime/node-runtime.ts',
      from: 'parts.watch.distrustSilence(distrustMs);\n      parts.keeper.doubt();',
      to: 'parts.watch.distrustSilence(distrustMs);',
    },
  ],
] as const;

const timeout = { timeout: 300_000 };

function play(scenario: string, mutations: readonly Mutation[]): Promise<MutantOutcome> {
  const shape = { nodes: 0, hours: 0 };
  return mutantOutcome({ mutations, story: scenarioText(scenario), seeds: 0, shape });
}

describe('the story without a mechanism', () => {
  it.each(mutants)('breaks $law: $name', timeout, async ({ scenario, mutations, law }) => {
    expect((await play(scenario, mutations)).laws).toContain(law);
  });

  it.each(eitherOf)('%s breaks no law without %s alone', timeout, async (scenario, _, mutation) => {
    expect((await play(scenario, [mutation])).laws).toEqual([]);
  });

  it.each(slow)('%s goes on too late without %s', timeout, async (scenario, _, mutation) => {
    const { laws, missing } = await play(scenario, [mutation]);
    expect(laws).toEqual([]);
    expect(missing).toMatch(/^by /);
  });
});

describe('a regression', () => {
  const told = regressions.flatMap(({ scenario, mutations = [], law, story }) =>
    scenario ? [{ scenario, mutations, law, story }] : [],
  );

  it.each(told)('breaks $law without its mend: $story', timeout, async (regression) => {
    const { scenario, mutations, law } = regression;
    expect(mutations).not.toEqual([]);
    expect((await play(scenario, mutations)).laws).toContain(law);
  });
});
