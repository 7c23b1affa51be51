import { listUsers } from '../../operations/inspect/list-presence.ts';
import type { UserPresence } from '../../runtime/presence/presence-door.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import { connectionOptions, queryOf } from '../connection-options.ts';
import type { CommandContext } from '../context.ts';
import { printSelected, selectionOptions } from '../list-selection.ts';
import type { Column } from '../output/column.ts';
import { listed } from './inspect-connections.ts';

const columns: readonly Column<UserPresence>[] = [
  { key: 'user', header: 'USER', lengthMax: 60 },
  { key: 'connections', header: 'CONNECTIONS', align: 'right' },
  { key: 'nodes', header: 'NODES', lengthMax: 60, text: ({ nodes }) => listed(nodes) },
  { key: 'hubs', header: 'HUBS', lengthMax: 60, text: ({ hubs }) => listed(hubs) },
];

/** Lists who is online. */
export function inspectUsersCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'users',
    summary: 'list the users who are online',
    description: [
      'Lists every user with a connection, with how many, on which nodes and in which hubs. Connections without a user are left out.',
    ],
    impact: 'ro',
    output: 'listing',
    options: { ...connectionOptions(), ...selectionOptions(columns) },
    examples: [
      { run: 'backplane inspect users', shows: 'who is online' },
      { run: 'backplane inspect users --group editors -o json', shows: 'who of a group is' },
    ],
    action: async (_, options) => {
      const { sessions } = await context.engine();
      const visitor = await context.visitor();
      const { timeoutMs } = context.settings;
      const rows = () => listUsers({ sessions, visitor }, queryOf(options), { timeoutMs });
      await printSelected(context, { noun: 'users', columns, rows }, options);
    },
  });
}
