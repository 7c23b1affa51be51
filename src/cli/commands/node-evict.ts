import { checkNodeId } from '../../foundation/identifiers.ts';
import { type EvictReport, evictNode } from '../../operations/act/evict-node.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { Line } from '../output/styled-text.ts';
import { flag, required } from '../parameters.ts';

/** Removes what a dead node left. */
export function nodeEvictCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'evict',
    summary: "remove a dead node's leavings",
    description: [
      'Ends the sessions of a silent or dead node and removes its leases and connections at once, instead of at the node timeout. A node that is alive is refused with exit code 8; --force ends it all the same, and it comes back under a new session without its documents.',
    ],
    impact: 'rw',
    output: 'report',
    arguments: {
      node: required('the node, or one of its sessions', { parse: checkNodeId, completes: 'node' }),
    },
    options: { force: flag('--force', 'even if it is alive') },
    examples: [
      { run: 'backplane node evict web-1', shows: 'how many leases were removed' },
      { run: 'backplane node evict web-1 --force', shows: 'the same for one that is alive' },
    ],
    action: async ({ node }, { force }) => {
      const { sessions, leases, registry } = await context.engine();
      const report = await evictNode({ sessions, leases, registry }, node, { force });
      await context.print.report(report, asLines);
    },
  });
}

function asLines({ nodeId, removed, sessions }: EvictReport): Line[] {
  const ended = sessions.filter(({ fenced }) => fenced).length;
  const lines: Line[] = [
    `${nodeId}: ${removed} ${removed === 1 ? 'lease' : 'leases'} removed, ${ended} ${ended === 1 ? 'session' : 'sessions'} ended`,
  ];
  for (const { session, was, removed: count } of sessions) {
    lines.push([{ text: `  session ${session} was ${was}; ${count} removed`, style: 'dim' }]);
  }
  return lines;
}
