import { parseDurationMs } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { parseBenchAssertions } from '../../verification/bench/bench-assertion.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { flag, option, optionList, optionWithDefault, required } from '../parameters.ts';
import { anyText, oneOf, parseCount } from '../parse-values.ts';

/** A test compares them with `known-works.ts`, so that help need not load it. */
export const benchWorks = [
  'rpc',
  'ops',
  'fanout',
  'awareness',
  'leases',
  'takeover',
  'inspect',
] as const;
const brokers = ['embedded', 'wasm', 'redis'] as const;
const stores = ['redis', 'sqlite'] as const;

const concurrencies: Readonly<Record<string, number>> = { fanout: 16, awareness: 4, inspect: 1 };
const concurrencyElse = 64;

/** Measures a cluster. */
export function benchCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'bench',
    summary: 'measure a cluster: rate, latency, CPU',
    description: [
      'rpc calls ping at the owners of documents; ops sends ops as peers do; fanout and awareness count what other peers hear; leases acquires and releases documents, fenced in the store; inspect lists all leases; takeover kills a node of a cluster of its own that owns all documents.',
      'Without --rate so many are under way at once (a closed loop). With --rate they come at that rate whatever becomes of them (an open loop), and latency counts from when each was due, so that a pause shows in all it held up.',
      'It writes to documents of its own, named bench-…, whose logs stay in the store.',
      'Exits 9 when an assertion fails, 10 when nothing was done.',
    ],
    impact: 'rw',
    output: 'report',
    arguments: {
      work: required(benchWorks.join(', '), { parse: oneOf(...benchWorks), completes: benchWorks }),
    },
    options: {
      duration: optionWithDefault('--duration <DURATION>', 'how long to measure', parseDurationMs, {
        fallback: 10_000,
        fallbackText: '10s',
      }),
      warmUp: optionWithDefault('--warm-up <DURATION>', 'before that', parseDurationMs, {
        fallback: 2_000,
        fallbackText: '2s',
      }),
      rate: option('--rate <N>', 'so many a second, in an open loop', parseCount),
      concurrency: option(
        '--concurrency <N>',
        'so many under way at once (default: 64; 16 for fanout, 4 for awareness, 1 for inspect)',
        parseCount,
      ),
      payload: optionWithDefault('--payload <BYTES>', 'the size of each', parseCount, {
        fallback: 64,
        fallbackText: '64',
      }),
      documents: optionWithDefault('--documents <N>', 'over how many documents', parseCount, {
        fallback: 16,
        fallbackText: '16',
      }),
      followers: optionWithDefault('--followers <N>', 'peers that hear each document', parseCount, {
        fallback: 8,
        fallbackText: '8',
      }),
      start: flag('--start', 'on a cluster of its own, which it ends again'),
      nodes: option('--nodes <N>', 'with --start: how many nodes (default: 3)', parseCount),
      broker: option(
        '--broker <KIND>',
        `with --start: ${brokers.join(', ')} (default: embedded)`,
        oneOf(...brokers),
        { completes: brokers },
      ),
      logs: option(
        '--logs <WHERE>',
        'with --start: redis or sqlite (default: what belongs to the broker)',
        oneOf(...stores),
        { completes: stores },
      ),
      assert: optionList(
        '--assert <ASSERTIONS>',
        "fail unless they hold: 'p99<5ms,rate>20000'",
        parseBenchAssertions,
      ),
      compare: option('--compare <FILE>', 'show the change since this report', anyText, {
        completes: 'file',
      }),
    },
    examples: [
      { run: 'backplane bench rpc', shows: 'how many calls the cluster answers, and how fast' },
      {
        run: "backplane bench ops --rate 2000 --assert 'p99<20ms,failed<1'",
        shows: 'whether it keeps up with 2,000 ops a second',
      },
      {
        run: 'backplane bench takeover --start --documents 10000',
        shows: 'how long documents of a killed node are without an owner',
      },
    ],
    action: async ({ work }, options) => {
      const { nodes, broker, logs, concurrency = concurrencies[work] ?? concurrencyElse } = options;
      if (!options.start && (nodes ?? broker ?? logs) !== undefined) {
        throw new BackplaneError('USAGE', '--nodes, --broker and --logs go with --start');
      }
      if (work === 'takeover' && !options.start) {
        throw new BackplaneError('USAGE', 'takeover kills a node, so it takes --start');
      }
      for (const name of ['rate', 'documents', 'followers'] as const) {
        if (options[name] === 0) throw new BackplaneError('USAGE', `--${name}: at least 1`);
      }
      if (concurrency === 0) throw new BackplaneError('USAGE', '--concurrency: at least 1');
      if (options.rate !== undefined && options.concurrency !== undefined) {
        throw new BackplaneError('USAGE', 'either --rate or --concurrency');
      }
      const { runBench } = await import('../bench-session.ts');
      const { documents, followers, payload, rate } = options;
      await runBench(context, {
        work,
        load: {
          shape: rate === undefined ? { kind: 'closed', concurrency } : { kind: 'open', rate },
          ...{ warmUpMs: options.warmUp, durationMs: options.duration },
        },
        plan: {
          ...{ documents, followers, payloadBytes: payload },
          lanes: rate === undefined ? concurrency : concurrencyElse,
        },
        start: options.start
          ? { broker: broker ?? 'embedded', store: logs ?? null, nodes: nodes ?? 3 }
          : null,
        assertions: options.assert.flat(),
        compare: options.compare ?? null,
      });
    },
  });
}
