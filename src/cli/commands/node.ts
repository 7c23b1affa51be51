import { type CommandGroup, defineGroup } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { nodeDrainCommand } from './node-drain.ts';
import { nodeEvictCommand } from './node-evict.ts';

/** What can be done to a node. */
export function nodeCommand(context: CommandContext): CommandGroup {
  return defineGroup({
    name: 'node',
    summary: 'drain a node, or evict a dead one',
    description: ['Takes a node out of the cluster: in order, or what is left of it.'],
    commands: [nodeDrainCommand(context), nodeEvictCommand(context)],
  });
}
