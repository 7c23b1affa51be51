import { listConnections } from '../../operations/inspect/list-presence.ts';
import type { Connection } from '../../runtime/presence/connection.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import { connectionOptions, queryOf } from '../connection-options.ts';
import type { CommandContext } from '../context.ts';
import { printSelected, selectionOptions } from '../list-selection.ts';
import type { Column } from '../output/column.ts';
import { agoSince } from '../output/relative-time.ts';

const columns: readonly Column<Connection>[] = [
  { key: 'id', header: 'CONNECTION' },
  { key: 'user', header: 'USER', lengthMax: 40, text: ({ user }) => user ?? '-' },
  { key: 'hub', header: 'HUB', lengthMax: 40 },
  { key: 'nodeId', header: 'NODE' },
  { key: 'groups', header: 'GROUPS', lengthMax: 60, text: ({ groups }) => listed(groups) },
  { key: 'since', header: 'SINCE', text: ({ since }, nowMs) => agoSince(since, nowMs) },
  {
    key: 'attributes',
    header: 'ATTRIBUTES',
    wide: true,
    lengthMax: 120,
    text: ({ attributes }) =>
      listed(Object.entries(attributes).map(([key, value]) => `${key}=${value}`)),
  },
  { key: 'session', header: 'SESSION', wide: true },
];

/** Lists who is connected where. */
export function inspectConnectionsCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'connections',
    summary: 'list who is connected where',
    description: [
      'Lists the registered connections of all nodes: id, user, hub, groups, since when, and on which node. Any node answers from what it has heard; --fresh makes it ask the broker first.',
    ],
    impact: 'ro',
    output: 'listing',
    options: { ...connectionOptions(), ...selectionOptions(columns) },
    examples: [
      { run: 'backplane inspect connections', shows: 'every connection' },
      { run: 'backplane inspect connections --user ann --fresh', shows: 'where a user is, now' },
      { run: 'backplane inspect connections --watch', shows: 'who comes and goes' },
    ],
    action: async (_, options) => {
      const { sessions } = await context.engine();
      const visitor = await context.visitor();
      const { timeoutMs } = context.settings;
      const rows = () => listConnections({ sessions, visitor }, queryOf(options), { timeoutMs });
      await printSelected(context, { noun: 'connections', columns, rows }, options);
    },
  });
}

export function listed(names: readonly string[]): string {
  return names.length === 0 ? '-' : names.join(', ');
}
