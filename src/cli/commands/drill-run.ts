import { formatDuration, parseDurationMs } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import type { Adjustments } from '../../verification/drills/adjust-scenario.ts';
import { scenarioNames } from '../../verification/drills/scenario-names.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { flag, option, optionList, optionWithDefault, rest } from '../parameters.ts';
import { budgetNamesOfDrills, parseDrillBudget } from '../parse-budget.ts';
import { anyText, oneOf, parseCount } from '../parse-values.ts';

const brokers = ['embedded', 'wasm', 'redis'] as const;
/** What `attached-injector.ts` can do; a test compares them, so that help need not load it. */
export const attachedFaults = ['evict', 'move', 'drain', 'pause'] as const;

/** Turned into a scenario's own words. */
const loadOptions = {
  nodes: option('--nodes <N>', 'how many nodes (default: as the scenario has it)', parseCount),
  documents: option('--documents <N>', 'how many documents', parseCount),
  peers: option('--peers <N>', 'how many peers', parseCount),
  followers: option('--followers <N>', 'how many peers follow each document', parseCount),
  rate: option('--rate <N>', 'ops a second, of all peers together', parseCount),
  payload: option('--payload <BYTES>', 'the size of an op', parseCount),
  awarenessRate: option('--awareness-rate <N>', 'awareness changes a second', parseCount),
  requestRate: option('--request-rate <N>', 'requests a second', parseCount),
} as const;

/** Rehearses failures. */
export function drillRunCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'run',
    summary: 'rehearse failures and give a verdict',
    description: [
      'Starts a cluster of real node processes and a real broker, puts a load on it, does what the scenario says, records everything in a history, and judges it by the laws. A scenario is one of those that come with the program (backplane drill list) or a file of yours; several run one after the other.',
      'Exits 0 when every law holds and every budget is kept, 9 when one is not, 10 when the drill proves nothing: a fault had no effect, too little was acknowledged, a law could not be judged. That is never called a pass.',
      'Everything it starts is ended and removed again, also when it is killed. The history stays: in --history, or among the last 20 in the data folder.',
      'With --attach it starts nothing: it puts its load, on documents of its own, on the cluster of --url, and injects only what --allow names. It asks for the name of the cluster, so that nobody breaks the wrong one by a key press; --cluster gives it where nobody can be asked.',
      'On GitHub Actions it writes annotations and a summary of the job.',
    ],
    impact: 'rw',
    output: 'stream',
    arguments: {
      scenarios: rest('names of scenarios, or files', { completes: scenarioNames }),
    },
    options: {
      broker: optionWithDefault(
        '--broker <KIND>',
        'embedded, wasm (the embedded one without an installed server) or redis (an installed one of its own)',
        oneOf(...brokers),
        { completes: brokers, fallback: 'embedded' as const, fallbackText: 'embedded' },
      ),
      seed: option('--seed <N>', 'repeat the faults and the load of an earlier run', parseCount),
      for: option('--for <DURATION>', 'how long faults are drawn at random', parseDurationMs),
      ...loadOptions,
      budget: optionList(
        '--budget <NAME=DURATION>',
        `fail when this takes longer; the names are ${budgetNamesOfDrills.join(', ')}`,
        parseDrillBudget,
        { completes: budgetNamesOfDrills.map((name) => `${name}=`) },
      ),
      history: option('--history <FILE>', 'write the history here', anyText, { completes: 'file' }),
      report: option('--report <FILE>', 'write a page with a picture of the run', anyText, {
        completes: 'file',
      }),
      junit: option('--junit <FILE>', 'write the verdicts for a build server', anyText, {
        completes: 'file',
      }),
      attach: flag('--attach', 'on the cluster of --url instead of one of its own'),
      allow: option(
        '--allow <FAULTS>',
        `with --attach: what may be done to it, of ${attachedFaults.join(', ')}`,
        parseAllowed,
        { completes: attachedFaults },
      ),
      cluster: option('--cluster <NAME>', 'with --attach: the name of the cluster', anyText),
    },
    examples: [
      { run: 'backplane drill run owner-crash', shows: 'whether failover loses anything' },
      {
        run: 'backplane drill run owner-crash broker-restart --budget recovery=1s,p99=250ms --junit drills.xml --report drills.html',
        shows: 'the same for a build server, as assertions',
      },
      {
        run: 'backplane drill run everything --for 10m --seed 7 --broker redis',
        shows: 'ten minutes of faults, the same again with the same seed',
      },
    ],
    action: async ({ scenarios }, options) => {
      const { DrillSession } = await import('../drill-session.ts');
      await new DrillSession(context, {
        ...options,
        scenarios,
        adjustments: adjustmentsOf(options),
        again: againOf(options),
      }).run();
    },
  });
}

function parseAllowed(text: string): string[] {
  const read = oneOf(...attachedFaults);
  return text.split(',').map((name) => read(name.trim()));
}

type LoadValues = { readonly [Name in keyof typeof loadOptions]: number | undefined };

/** Only what was said: the rest is up to the scenario. */
function adjustmentsOf(
  options: LoadValues & {
    readonly for: number | undefined;
    readonly budget: readonly Adjustments['budgets'][];
  },
): Adjustments {
  const { nodes, documents, peers, followers, rate, payload, awarenessRate, requestRate } = options;
  const workload = given({
    documents: atLeastOne(documents, '--documents'),
    peers: atLeastOne(peers, '--peers'),
    followers: atLeastOne(followers, '--followers'),
    opsPerSecond: atLeastOne(rate, '--rate'),
    payloadBytes: payload,
    awarenessPerSecond: awarenessRate,
    requestsPerSecond: requestRate,
  });
  return {
    ...given({ nodes: atLeastOne(nodes, '--nodes'), randomMs: options.for }),
    workload,
    budgets: Object.assign({}, ...options.budget),
  };
}

/** The flags that make a run what it was, but for the seed, which may have been drawn. */
function againOf(
  options: LoadValues & {
    readonly broker: string;
    readonly for: number | undefined;
    readonly budget: readonly Adjustments['budgets'][];
    readonly attach: boolean;
    readonly allow: readonly string[] | undefined;
  },
): string[] {
  const { broker, attach, allow, budget } = options;
  const counts = Object.entries(loadOptions).flatMap(([name, { flags }]) => {
    const value = options[name as keyof LoadValues];
    return value === undefined ? [] : [flags.split(' ')[0] as string, String(value)];
  });
  const limits = Object.entries(Object.assign({}, ...budget) as Record<string, number>);
  return [
    ...(broker === 'embedded' ? [] : ['--broker', broker]),
    ...(options.for === undefined ? [] : ['--for', formatDuration(options.for)]),
    ...counts,
    ...limits.flatMap(([name, ms]) => ['--budget', `${name.replace(/Ms$/, '')}=${ms}ms`]),
    ...(attach ? ['--attach'] : []),
    ...(allow === undefined ? [] : ['--allow', allow.join(',')]),
  ];
}

function atLeastOne(count: number | undefined, flagName: string): number | undefined {
  if (count !== 0) return count;
  throw new BackplaneError('USAGE', `${flagName} must be at least 1`);
}

function given<Values extends object>(
  values: Values,
): { [Key in keyof Values]?: Exclude<Values[Key], undefined> } {
  const said = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said) as { [Key in keyof Values]?: Exclude<Values[Key], undefined> };
}
