import { checkNodeId } from '../../foundation/identifiers.ts';
import { describeNode, type NodeDescription } from '../../operations/inspect/describe-node.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { ago, agoSince } from '../output/relative-time.ts';
import { fieldLines, type Line } from '../output/styled-text.ts';
import { required } from '../parameters.ts';
import { heartbeatOption, nodeStyle, stateText } from './inspect-nodes.ts';

/** Shows one node and its past lives. */
export function inspectNodeCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'node',
    summary: 'show one node',
    description: [
      'Shows a node by its id, or one of its sessions by the id of the session, and the other sessions of that node that are still remembered.',
    ],
    impact: 'ro',
    output: 'report',
    arguments: {
      node: required('the node, or one of its sessions', { parse: checkNodeId, completes: 'node' }),
    },
    options: { heartbeat: heartbeatOption },
    examples: [
      { run: 'backplane inspect node web-1', shows: 'its state, address and load' },
      { run: 'backplane inspect node web-1 -o json', shows: 'the same for programs' },
    ],
    action: async ({ node }, { heartbeat }) => {
      const { sessions } = await context.engine();
      await context.print.report(await describeNode(sessions, node, heartbeat), asLines);
    },
  });
}

function asLines(node: NodeDescription, nowMs: number): Line[] {
  const lines = fieldLines([
    ['node', node.nodeId],
    ['state', { text: stateText(node), style: nodeStyle(node.state) }],
    ['session', node.session],
    ['address', node.address],
    ['pid', node.pid],
    ['version', `${node.version}, protocol ${node.protocol}`],
    ['started', agoSince(node.startedAt, nowMs)],
    ['last beat', ago(node.lastBeatAgoMs)],
    ['documents', node.documents],
    ['connections', node.connections],
    ['config', node.configHash],
    ['hears itself', node.deaf ? { text: 'no', style: 'bad' } : 'yes'],
  ]);
  for (const other of node.others) {
    lines.push(`earlier or other session ${other.session}: ${stateText(other)}`);
  }
  return lines;
}
