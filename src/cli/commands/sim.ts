import { formatDuration } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { SeededRandom } from '../../verification/seeded-random.ts';
import { coverageNames } from '../../verification/simulation/coverage.ts';
import {
  drawProfile,
  faultNames,
  type ProfileRequest,
} from '../../verification/simulation/fault-profile.ts';
import type { SeedRange } from '../../verification/simulation/seed-pool.ts';
import { shrinkRun } from '../../verification/simulation/shrink-run.ts';
import { replayLine, type SimReport } from '../../verification/simulation/sim-report.ts';
import { SimStory } from '../../verification/simulation/sim-story.ts';
import { simulate, simulateOne } from '../../verification/simulation/simulate.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { fieldLines, type Line } from '../output/styled-text.ts';
import { flag, option, optionList, optionWithDefault } from '../parameters.ts';
import { parseHours, parseSeeds } from '../parse-seeds.ts';
import { oneOf, parseCount } from '../parse-values.ts';
import { SimMeter } from '../sim-meter.ts';

const shrinkAttemptsMax = 200;

/** Runs the runtime in a virtual world. */
export function simCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'sim',
    summary: 'run the runtime in a virtual, hostile world',
    description: [
      'Runs nodes, peers, a broker and a store in this process, under virtual time: the real runtime, gateway and client behind simulated ports. The seed draws which faults there are and how often: crashes, pauses beyond the lease, cut and half-open connections, a broker that is restarted, wiped, or failed over to an older replica, clocks that jump, a bus that loses, doubles and reorders, a store that fails before or after it wrote. Between two storms everything is mended, and has to converge.',
      'The laws are those of verify and of the drills. The same seed is the same history, on any machine.',
      'Exits 0 when no law is violated, 9 when one is, 10 when no fault took effect.',
    ],
    impact: 'ro',
    output: 'report',
    options: {
      seeds: option(
        '--seeds <FROM..TO>',
        'run these seeds; 1..100 when none are named',
        parseSeeds,
      ),
      seed: option('--seed <SEED>', 'run this one, and print what it drew', parseCount),
      hours: optionWithDefault('--hours <HOURS>', 'how long each world runs', parseHours, {
        fallback: 1,
        fallbackText: '1',
      }),
      nodes: option('--nodes <N>', 'instead of the 2 to 5 that the seed draws', parseCount),
      documents: option('--documents <N>', 'instead of what the seed draws', parseCount),
      peers: option('--peers <N>', 'instead of what the seed draws', parseCount),
      fault: optionList(
        '--fault <NAME>',
        'only this kind of fault, and others named with it, instead of what the seed draws',
        oneOf(...faultNames),
        { completes: faultNames },
      ),
      jobs: option('--jobs <N>', 'how many seeds run at once; the number of cores', parseCount),
      keepGoing: flag('--keep-going', 'go on after the first violation'),
      trace: flag('--trace', 'with --seed: tell the story, event by event'),
      shrink: flag('--shrink', 'with --seed: look for a smaller run that violates the same law'),
    },
    examples: [
      { run: 'backplane sim --seeds 1..20 --hours 0.1', shows: 'two simulated hours' },
      { run: 'backplane sim --seed 7 --hours 0.1 --trace', shows: 'the story of one seed' },
      { run: 'backplane sim --seeds 1..10 --hours 0.1 -o json', shows: 'a report for a program' },
    ],
    action: async (_, options) => {
      const shape = {
        ...{ hours: options.hours, nodes: options.nodes },
        ...{ documents: options.documents, peers: options.peers },
        faults: options.fault.length > 0 ? options.fault : undefined,
      };
      if (options.nodes === 0) throw new BackplaneError('USAGE', '--nodes: at least 1');
      if (options.seed !== undefined)
        return one(context, { ...shape, seed: options.seed }, options);
      if (options.trace || options.shrink) {
        throw new BackplaneError('USAGE', '--trace and --shrink are for one --seed');
      }
      const seeds = options.seeds ?? { from: 1, to: 100 };
      await many(context, seeds, shape, options);
    },
  });
}

async function many(
  context: CommandContext,
  seeds: SeedRange,
  shape: Omit<ProfileRequest, 'seed'>,
  options: { readonly keepGoing: boolean; readonly jobs: number | undefined },
): Promise<void> {
  const meter = new SimMeter(context);
  const report = await simulate({
    ...{ seeds, shape, keepsGoing: options.keepGoing, workers: options.jobs ?? null },
    ...{ signal: context.signal, clock: context.clock },
    progress: (progress) => meter.show(progress),
  });
  meter.end();
  await finish(context, report);
}

async function one(
  context: CommandContext,
  request: ProfileRequest,
  options: { readonly trace: boolean; readonly shrink: boolean },
): Promise<void> {
  const story = new SimStory();
  if (!context.print.forPrograms) {
    const profile = drawProfile(request, new SeededRandom(request.seed));
    await context.print.lines([`profile ${JSON.stringify(profile)}`, '']);
  }
  let report = await simulateOne(request, context.clock, options.trace ? story : {});
  if (!context.print.forPrograms && options.trace) await context.print.lines(story.lines);
  const [violation] = report.violations;
  if (options.shrink && violation) {
    const { signal } = context;
    const shrunk = await shrinkRun(request, violation.law, {
      signal,
      attemptsMax: shrinkAttemptsMax,
    });
    if (shrunk) {
      await context.print.note(
        `smaller after ${shrunk.attempts} attempts: ${replayLine(shrunk.request)}`,
      );
      report = await simulateOne(shrunk.request, context.clock, {});
    }
  }
  await finish(context, report);
}

async function finish(context: CommandContext, report: SimReport): Promise<void> {
  await context.print.report(report, asLines);
  if (report.outcome === 'holds') return;
  const code = report.outcome === 'violated' ? 'ASSERTION_FAILED' : 'INCONCLUSIVE';
  throw new BackplaneError(code, report.reason ?? report.outcome);
}

function asLines(report: SimReport): Line[] {
  const { outcome, reason, coverage, violations } = report;
  const style = outcome === 'holds' ? 'good' : outcome === 'violated' ? 'bad' : 'warning';
  const lines = fieldLines([
    ['seeds', report.seedsRun],
    ['simulated', `${report.simulatedHours.toFixed(1)} hours`],
    [
      'took',
      `${formatDuration(report.tookMs)}, ${Math.round(report.timesRealTime)} times real time`,
    ],
    ['acknowledged', report.acknowledged],
    ['faults', report.faults],
    ['history', report.digest],
    ['verdict', { text: outcome, style }],
    ['remark', reason],
  ]);
  lines.push('', 'What the worlds went through:');
  const counts = coverageNames.map((name): [string, number] => [name, coverage[name]]);
  const width = Math.max(...coverageNames.map((name) => name.length)) + 2;
  for (const [name, count] of counts) lines.push(`  ${name.padEnd(width)}${count}`);
  for (const { seed, law, claim, events, replay } of violations) {
    lines.push('', [{ text: `seed ${seed}: ${law}: `, style: 'bold' }, claim]);
    for (const { line: _, atMs, ...event } of events) {
      lines.push(`  +${formatDuration(atMs)}  ${JSON.stringify(event).slice(0, 400)}`);
    }
    lines.push(`  ${replay}`);
  }
  return lines;
}
