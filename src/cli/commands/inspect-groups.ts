import { listGroups } from '../../operations/inspect/list-presence.ts';
import type { GroupPresence } from '../../runtime/presence/presence-door.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import { connectionOptions, queryOf } from '../connection-options.ts';
import type { CommandContext } from '../context.ts';
import { printSelected, selectionOptions } from '../list-selection.ts';
import type { Column } from '../output/column.ts';
import { listed } from './inspect-connections.ts';

const columns: readonly Column<GroupPresence>[] = [
  { key: 'group', header: 'GROUP', lengthMax: 60 },
  { key: 'connections', header: 'CONNECTIONS', align: 'right' },
  { key: 'users', header: 'USERS', align: 'right' },
  { key: 'nodes', header: 'NODES', lengthMax: 60, text: ({ nodes }) => listed(nodes) },
  { key: 'hubs', header: 'HUBS', lengthMax: 60, text: ({ hubs }) => listed(hubs) },
];

/** Lists the groups somebody is in. */
export function inspectGroupsCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'groups',
    summary: 'list the groups that connections are in',
    description: [
      'Lists every group that some connection is in, with how many connections and users. A group without connections does not exist.',
    ],
    impact: 'ro',
    output: 'listing',
    options: { ...connectionOptions(), ...selectionOptions(columns) },
    examples: [
      { run: 'backplane inspect groups', shows: 'every group' },
      { run: 'backplane inspect groups --user ann', shows: 'the groups of a user' },
    ],
    action: async (_, options) => {
      const { sessions } = await context.engine();
      const visitor = await context.visitor();
      const { timeoutMs } = context.settings;
      const rows = () => listGroups({ sessions, visitor }, queryOf(options), { timeoutMs });
      await printSelected(context, { noun: 'groups', columns, rows }, options);
    },
  });
}
