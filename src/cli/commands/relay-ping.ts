import { checkNodeId } from '../../foundation/identifiers.ts';
import { pingRelay, type RelayPingReport } from '../../operations/act/ping-relay.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { fieldLines, type Line } from '../output/styled-text.ts';
import { optionWithDefault, required } from '../parameters.ts';
import { oneOf, parseCount } from '../parse-values.ts';

/** Measures the way between two nodes. */
export function relayPingCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'ping',
    summary: 'measure how long relay frames take between two nodes',
    description: [
      'Measures there and back between two nodes. Via the bus: as frames go that node A forwards to a daemon on node B. Via a redirect: as a browser feels it that A sends to B, from where this command runs; A must allow the host, and B have a --public-url.',
      'Exits 2 when the redirect is not allowed, 4 for an unknown node, 5 when no answer came in time, 6 when nobody is there.',
    ],
    impact: 'ro',
    output: 'report',
    arguments: {
      from: required('the node of the browser', { parse: checkNodeId, completes: 'node' }),
      to: required('the node of the daemon', { parse: checkNodeId, completes: 'node' }),
    },
    options: {
      via: optionWithDefault('--via <WAY>', 'bus or redirect', oneOf('bus', 'redirect'), {
        completes: ['bus', 'redirect'],
        fallback: 'bus' as const,
        fallbackText: 'bus',
      }),
      count: optionWithDefault('-n, --count <N>', 'how many times, up to 1000', parseCount, {
        fallback: 10,
        fallbackText: '10',
      }),
    },
    examples: [
      { run: 'backplane relay ping web-1 web-2', shows: 'what forwarding costs' },
      {
        run: 'backplane relay ping web-1 web-2 --via redirect',
        shows: 'what a browser has that was sent to the right node',
      },
    ],
    action: async ({ from, to }, { via, count }) => {
      const { sessions } = await context.engine();
      const visitor = await context.visitor();
      const { timeoutMs, token } = context.settings;
      const { clock, signal } = context;
      const world = { sessions, visitor, clock, token: token?.reveal() ?? null };
      const report = await pingRelay(world, { from, to, via, count }, { timeoutMs, signal });
      await context.print.report(report, asLines);
    },
  });
}

function asLines(report: RelayPingReport): Line[] {
  const ms = (value: number | null) => (value === null ? null : `${value.toFixed(2)}ms`);
  return fieldLines([
    ['from', report.from],
    ['to', report.to],
    ['via', report.via],
    ['url', report.url],
    ['connected in', ms(report.connectMs)],
    ['pings', report.count],
    ['least', ms(report.minMs)],
    ['median', ms(report.medianMs)],
    ['99 of 100', ms(report.p99Ms)],
    ['most', ms(report.maxMs)],
  ]);
}
