import { formatDuration } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import type { FailoverPlan, FailurePlan } from '../../operations/diagnose/plan-failover.ts';
import { planFailover } from '../../operations/diagnose/plan-failover.ts';
import { askAnyNode } from '../../operations/inspect/ask-any-node.ts';
import type { NodeSelfReport } from '../../runtime/health/self-report.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { Line } from '../output/styled-text.ts';
import { flag, optionList } from '../parameters.ts';
import { oneOf } from '../parse-values.ts';

/** What `measure-failover.ts` can rehearse. */
const measurable = [
  'owner-killed',
  'node-stopped-in-order',
  'broker-restarted',
  'owner-stands-still',
] as const;

/** How long documents are not served after a failure. */
export function planFailoverCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'failover',
    summary: 'reckon how long a document is not served after a failure',
    description: [
      'Asks a node for its settings, measures a round trip to the broker, and says for each kind of failure how long a document is typically not served, how long at worst, and which setting that is mostly made of.',
      '--measure compares with short drills: node processes and a broker of their own on this machine, with the settings of the cluster. The cluster itself is left alone: owners are killed, stopped in order and held still, and the broker is restarted. It takes about a minute and the time until a node that stands still is given up; where that is more than a minute, it is not measured. What a drill shows is the longest that a client waited, load, processor and all.',
    ],
    impact: 'ro',
    output: 'report',
    options: {
      measure: flag('--measure', 'compare with short drills on this machine'),
      only: optionList(
        '--only <FAILURE>',
        `with --measure: only this one, of ${measurable.join(', ')}, and others named with it`,
        oneOf(...measurable),
        { completes: measurable },
      ),
    },
    examples: [
      { run: 'backplane plan failover', shows: 'what each failure would cost' },
      { run: 'backplane plan failover --measure', shows: 'and what it costs here' },
      {
        run: 'backplane plan failover --measure --only owner-killed',
        shows: 'the same of one failure, in a few seconds',
      },
    ],
    action: async (_, { measure, only }) => {
      if (only.length > 0 && !measure)
        throw new BackplaneError('USAGE', '--only goes with --measure');
      const { sessions, inspector } = await context.engine();
      const visitor = await context.visitor();
      const { timeoutMs } = context.settings;
      const options = { timeoutMs, signal: context.signal };
      const params = { probe: false };
      const report = (await askAnyNode(
        { sessions, visitor },
        'node.report',
        params,
        options,
      )) as NodeSelfReport;
      const nodes = (await sessions.list()).filter(({ state }) => state === 'live').length;
      const plan = planFailover(report, { nodes, roundTripMs: await inspector.ping() });
      const told = measure ? await measured(context, plan, report, only) : plan;
      await context.print.report(told, asLines);
    },
  });
}

/** Drills are loaded only by whoever wants one. */
async function measured(
  context: CommandContext,
  plan: FailoverPlan,
  report: NodeSelfReport,
  only: readonly string[],
) {
  const { measureFailover } = await import('../measure-failover.ts');
  return measureFailover(context, plan, report.dials, only);
}

function asLines({ failures, nodes, roundTripMs, settingsOf }: FailoverPlan): Line[] {
  const isMeasured = failures.some(({ measuredMs }) => measuredMs !== null);
  const alone: Line[] =
    nodes < 2
      ? [[{ text: 'there is one node: nobody can take over from it', style: 'warning' }]]
      : [];
  return [
    ...alone,
    ...failures.flatMap((each) => failureLines(each, isMeasured)),
    [
      {
        text: `${nodes} nodes, settings of ${settingsOf}, a round trip of ${formatDuration(roundTripMs)}`,
        style: 'dim',
      },
    ],
  ];
}

function failureLines(plan: FailurePlan, isMeasured: boolean): Line[] {
  const { failure, typicalMs, worstMs, dominatedBy, valueMs, measuredMs, story } = plan;
  const setting =
    dominatedBy === null
      ? `fixed times (${formatDuration(valueMs)})`
      : `${dominatedBy} ${formatDuration(valueMs)}`;
  const told = measuredMs === null ? 'not measured' : `measured ${formatDuration(measuredMs)}`;
  return [
    [
      { text: failure.padEnd(30), style: 'bold' },
      `typically ${formatDuration(typicalMs).padEnd(7)} at worst ${formatDuration(worstMs).padEnd(7)} ${isMeasured ? `${told.padEnd(17)} ` : ''}mostly ${setting}`,
    ],
    [{ text: `    ${story}`, style: 'dim' }],
  ];
}
