import type { CommandDefinition, CommandNode } from './command-definition.ts';
import { commandTable } from './command-table.ts';
import type { CommandContext } from './context.ts';

/** Every command that help shows, with its declaration: for manual, completion and tests. */
export async function loadCommands(context: CommandContext): Promise<CommandNode[]> {
  return Promise.all(commandTable.map(async (entry) => (await entry.load())(context)));
}

/** The commands that do something, each with its name in full. */
export function leavesOf(nodes: readonly CommandNode[]): (readonly [string, CommandDefinition])[] {
  return nodes.flatMap((node) =>
    node.kind === 'command'
      ? [[`backplane ${node.name}`, node] as const]
      : node.commands.map((leaf) => [`backplane ${node.name} ${leaf.name}`, leaf] as const),
  );
}
