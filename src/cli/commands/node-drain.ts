import { formatDuration, parseDurationMs } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { checkNodeId } from '../../foundation/identifiers.ts';
import { type DrainReport, drainNode } from '../../operations/act/drain-node.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { Line } from '../output/styled-text.ts';
import { optionWithDefault, required } from '../parameters.ts';

/** Makes a node hand everything over and stop. */
export function nodeDrainCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'drain',
    summary: 'make a node hand everything over and stop',
    description: [
      'Makes a node hand its documents to the others, send its peers elsewhere and stop, and waits until it has left. No op and no request fails because of it. Exits 4 for an unknown node, 6 for a dead one, 5 when it has not left in time; it goes on then.',
    ],
    impact: 'rw',
    output: 'report',
    arguments: { node: required('the node', { parse: checkNodeId, completes: 'node' }) },
    options: {
      wait: optionWithDefault('--wait <DURATION>', 'how long it may take', parseDurationMs, {
        fallback: 60_000,
        fallbackText: '1m',
      }),
    },
    examples: [
      { run: 'backplane node drain web-1', shows: 'how many documents it handed over' },
      { run: 'backplane node drain web-1 --wait 5m', shows: 'the same with more patience' },
    ],
    action: async ({ node }, { wait }) => {
      const { sessions } = await context.engine();
      const visitor = await context.visitor();
      const { clock, signal } = context;
      const options = { timeoutMs: wait, signal };
      const report = await drainNode({ sessions, visitor, clock }, node, options);
      await context.print.report(report, asLines);
      if (report.cause !== 'left') throw died(report);
    },
  });
}

function asLines({ nodeId, documents, cause, tookMs }: DrainReport): Line[] {
  const ended = cause === 'left' ? 'has left' : `died (${cause})`;
  return [
    `${nodeId} ${ended} after ${formatDuration(tookMs)}; it owned ${documents} ${documents === 1 ? 'document' : 'documents'}`,
  ];
}

function died({ nodeId, cause, session }: DrainReport): BackplaneError {
  return new BackplaneError('NODE_DEAD', `${nodeId} died (${cause}) before it had handed over`, {
    remedy: `clear what it left: backplane node evict ${session}`,
    facts: { nodeId, session, cause },
  });
}
