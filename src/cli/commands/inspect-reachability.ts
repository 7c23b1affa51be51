import { formatDuration } from '../../foundation/duration.ts';
import {
  type Reach,
  type ReachabilityReport,
  type ReachRow,
  reachability,
  reachFailure,
} from '../../operations/inspect/reachability.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { Line, Style } from '../output/styled-text.ts';

/** Somebody waits, and a node that has not answered by then is no use to its peers either. */
const patienceMs = 3_000;

const styles: Readonly<Record<Reach, Style>> = {
  answered: 'good',
  silent: 'bad',
  undead: 'warning',
  gone: 'dim',
};

/** Asks every node to answer. */
export function inspectReachabilityCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'reachability',
    summary: 'ask every node to answer, and name who did not',
    description: [
      'Sends every node a question over the bus, as its siblings would, also to those given up for dead. Names who did not answer, who answered though given up for dead, and who answered twice: two processes with one id, or two that listen on one inbox.',
      'Waits 3s at most, or --timeout if that is shorter. Exits 11 when any of this is so. A node can beat and still not answer: then its subscriber connection is deaf.',
    ],
    impact: 'ro',
    output: 'report',
    examples: [
      { run: 'backplane inspect reachability', shows: 'who answers, and how fast' },
      { run: 'backplane inspect reachability -o json', shows: 'the same for a program' },
    ],
    action: async () => {
      const { bus, sessions } = await context.engine();
      const visitor = await context.visitor();
      const { clock, signal } = context;
      const timeoutMs = Math.min(context.settings.timeoutMs, patienceMs);
      const report = await reachability({ bus, sessions, visitor, clock }, { timeoutMs, signal });
      await context.print.report(report, asLines);
      const failure = reachFailure(report);
      if (failure) throw failure;
    },
  });
}

function asLines({ nodes }: ReachabilityReport): Line[] {
  const width = Math.max(...nodes.map(({ nodeId }) => nodeId.length), 0);
  return nodes.map((row) => reachLine(row, width));
}

function reachLine(
  { nodeId, session, reach, latencyMs, detail, receivers }: ReachRow,
  width: number,
): Line {
  const words =
    reach === 'answered'
      ? 'answered'
      : reach === 'undead'
        ? 'given up for dead, and answered'
        : 'did not answer';
  const took = latencyMs === null ? '' : ` in ${formatDuration(latencyMs)}`;
  const why = detail === null ? '' : `: ${detail}`;
  const twice = receivers > 1 ? `; ${receivers} listen on its inbox` : '';
  return [
    `${nodeId.padEnd(width)}  `,
    { text: `${words}${took}`, style: styles[reach] },
    { text: `${why}${twice}  ${session}`, style: 'dim' },
  ];
}
