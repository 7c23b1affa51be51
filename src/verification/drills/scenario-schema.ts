import * as v from 'valibot';
import { limits } from '../../foundation/limits.ts';
import type { Budgets } from '../budgets.ts';
import type { FigureBudgets, Scenario } from './scenario.ts';
import { durationText, keysOf, someTime, wholeNumber, wordOf } from './scenario-values.ts';
import { type ScenarioFault, stepsSchema } from './step-schema.ts';

export const nodesMax = 16;
const peersMax = 10_000;
const guestsMax = 100;
const documentsMax = 100_000;
const rateMax = 100_000;
const textLengthMax = 20_000;

/** What can have a budget: what `Budgets` explains, and the latency of ops. */
const figures: Readonly<Record<BudgetName | 'p50' | 'p99', string>> = {
  recovery: 'From a fault to the next acknowledgement.',
  cleanup: 'From the death of a session until nobody sees what it registered.',
  return: 'Until a living node that lost its session has another.',
  awareness: 'From the last change until every view shows it.',
  lateness: 'How much later than its deadline a request may be told so.',
  settle:
    'From an op, or the end of a fault, until its peer is answered and every subscriber has it.',
  stale: 'For how long an owner may answer that was replaced (default: the TTL of a lease).',
  cache: 'For how long a node may serve from its cache what was evicted.',
  p50: 'In which half of the ops are acknowledged.',
  p99: 'In which 99 of 100 ops are acknowledged.',
};
type NameOf<Key> = Key extends `${infer Name}Ms` ? Name : never;
type BudgetName = NameOf<keyof Budgets>;

/**
 * A scenario as it is written: by hand, in YAML, so what can be left out has a default, and what is
 * wrong is said in words. What it is read as is in `scenario.ts`.
 */
export function scenarioSchema(
  faults: readonly ScenarioFault[],
): v.GenericSchema<unknown, Scenario> {
  return v.pipe(
    keysOf('a scenario', {
      $schema: v.optional(v.string()),
      name: v.pipe(
        v.string('write name as text'),
        v.regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'write name in small letters: my-scenario'),
        v.maxLength(60, 'name is longer than 60 letters'),
      ),
      summary: v.pipe(
        v.string('write summary as text'),
        v.nonEmpty('say in one line what it does'),
        v.maxLength(120, 'summary is longer than 120 letters'),
        v.regex(/^[^\r\n]*$/, 'summary is one line'),
        v.description('One line, for listings.'),
      ),
      proves: prose('What a pass proves.'),
      elsewhere: prose('What users of comparable systems saw go wrong, with sources.'),
      cluster: v.optional(clusterSchema, {}),
      workload: v.optional(workloadSchema, {}),
      budgets: v.optional(budgetsSchema, {}),
      steps: stepsSchema(faults),
    }),
    v.transform(({ $schema: _, ...scenario }) => scenario),
  );
}

/** Settings of `serve` that a scenario may choose; where it listens and joins is up to the drill. */
const serveSchema = v.pipe(
  keysOf('serve', {
    heartbeat: v.optional(durationText),
    'lease-ttl': v.optional(durationText),
    'node-timeout': v.optional(durationText),
    'request-timeout': v.optional(durationText),
    'awareness-ttl': v.optional(durationText),
    'awareness-rate': v.optional(wholeNumber('awareness-rate', 1, rateMax)),
    'snapshot-ops': v.optional(wholeNumber('snapshot-ops', 1, 1_000_000)),
    'snapshot-interval': v.optional(durationText),
    'idle-after': v.optional(durationText),
    'takeover-grace': v.optional(durationText),
    'wait-for-expiry': v.optional(v.boolean('write wait-for-expiry as true or false')),
    engine: v.optional(wordOf('the engine', ['json', 'log'])),
  }),
  v.description('Settings of "backplane serve", by flag without its dashes.'),
  // A switch that is off is a flag left out.
  v.transform((settings) =>
    Object.fromEntries(
      Object.entries(settings)
        .filter(([, value]) => value !== false && value !== undefined)
        .map(([flag, value]) => [flag, String(value)]),
    ),
  ),
);

const clusterSchema = keysOf('cluster', {
  nodes: v.optional(
    v.pipe(wholeNumber('nodes', 1, nodesMax), v.description('They are called node-1, node-2 …')),
    3,
  ),
  broker: v.optional(
    v.pipe(
      wordOf('the broker', ['any', 'redis', 'pair']),
      v.description('any: the one the drill is run on; pair: a Redis with a replica.'),
    ),
    'any',
  ),
  store: v.optional(
    v.pipe(
      wordOf('the store', ['any', 'redis', 'sqlite']),
      v.description('any: the one that goes with the broker.'),
    ),
    'any',
  ),
  serve: v.optional(serveSchema, {}),
});

const followersDefault = 3;
const perSecond = (what: string, min: number) =>
  v.pipe(wholeNumber(what, min, rateMax), v.description('Of all peers together.'));

const workloadSchema = v.pipe(
  keysOf('workload', {
    documents: v.optional(wholeNumber('documents', 1, documentsMax), 8),
    peers: v.optional(wholeNumber('peers', 1, peersMax), 6),
    followers: v.optional(
      v.pipe(
        wholeNumber('followers', 1, peersMax),
        v.description('How many peers follow each document, and send ops to it (default: 3).'),
      ),
    ),
    opsPerSecond: v.optional(perSecond('opsPerSecond', 1), 200),
    payloadBytes: v.optional(wholeNumber('payloadBytes', 1, limits.payloadBytesMax), 64),
    awarenessPerSecond: v.optional(perSecond('awarenessPerSecond', 0), 20),
    guests: v.optional(
      v.pipe(
        wholeNumber('guests', 0, guestsMax),
        v.description(
          'How many others at a time come, show their awareness, and go; none by default.',
        ),
      ),
    ),
    requestsPerSecond: v.optional(perSecond('requestsPerSecond', 0), 20),
    requestTimeout: v.optional(someTime('A request must have ended by then.'), '5s'),
    ownedBy: v.optional(
      v.pipe(
        v.nullable(v.string('write ownedBy as the name of a node')),
        v.description('The node that owns every document at first: it is started alone.'),
      ),
      null,
    ),
  }),
  v.transform(({ requestTimeout, followers, guests, ...plan }) => ({
    ...plan,
    ...(guests !== undefined && { guests }),
    followers: followers ?? Math.min(followersDefault, plan.peers),
    requestTimeoutMs: requestTimeout,
  })),
);

const budgetsSchema = v.pipe(
  keysOf(
    'budgets',
    Object.fromEntries(
      Object.entries(figures).map(([name, what]) => [name, v.optional(someTime(what))]),
    ),
  ),
  v.description('How long something may take; more is a violation.'),
  v.transform((budgets): FigureBudgets => {
    const given = Object.entries(budgets).filter(([, limitMs]) => limitMs !== undefined);
    return Object.fromEntries(given.map(([name, limitMs]) => [`${name}Ms`, limitMs]));
  }),
);

function prose(description: string) {
  return v.optional(
    v.pipe(
      v.string('write text; a bar (|) lets it run over several lines'),
      v.maxLength(textLengthMax, `longer than ${textLengthMax} letters`),
      v.description(description),
      v.transform((text) => text.trimEnd()),
    ),
    '',
  );
}
