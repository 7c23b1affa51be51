import { checkWorkspaceName } from '../../foundation/identifiers.ts';
import { silenceFailure } from '../../operations/inspect/ask-every-node.ts';
import { listRelay, type RelayReport } from '../../operations/inspect/list-relay.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { printSelected, selectionOptions } from '../list-selection.ts';
import type { Column } from '../output/column.ts';
import { optional } from '../parameters.ts';

const columns: readonly Column<RelayReport>[] = [
  { key: 'workspace', header: 'WORKSPACE', lengthMax: 80 },
  {
    key: 'nodeId',
    header: 'DAEMON',
    text: ({ nodeId }) => nodeId ?? 'none',
    style: ({ nodeId }) => (nodeId === null ? 'warning' : null),
  },
  { key: 'browsers', header: 'BROWSERS', align: 'right' },
  { key: 'browserNodes', header: 'ON', text: ({ browserNodes }) => browserNodes.join(', ') },
  { key: 'queuedBytes', header: 'QUEUED', align: 'right' },
  { key: 'dropped', header: 'DROPPED', align: 'right' },
  { key: 'redirects', header: 'REDIRECTS', align: 'right' },
  { key: 'publicUrl', header: 'PUBLIC URL', wide: true },
  { key: 'session', header: 'SESSION', wide: true },
];

/** Lists workspaces. */
export function inspectRelayCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'relay',
    summary: 'list workspaces: their daemon, browsers, queues, drops and redirects',
    description: [
      "Asks every node and the broker: to which node a workspace's daemon is connected, how many browsers are in it and where, how many bytes are on their way, how many frames clients dropped because they were told to, and how many browsers were sent to the daemon's node.",
      'Exits 4 when nobody is in the workspace named, 11 when some node did not answer.',
    ],
    impact: 'ro',
    output: 'listing',
    arguments: { workspace: optional('only this one', { parse: checkWorkspaceName }) },
    options: selectionOptions(columns),
    examples: [
      { run: 'backplane inspect relay', shows: 'every workspace' },
      { run: 'backplane inspect relay --filter nodeId=null', shows: 'those without a daemon' },
      { run: 'backplane inspect relay --sort -queuedBytes', shows: 'the slowest readers first' },
    ],
    action: async ({ workspace }, options) => {
      const { sessions, registry } = await context.engine();
      const visitor = await context.visitor();
      const { timeoutMs } = context.settings;
      const sources = { sessions, registry, visitor };
      let silent: readonly string[] = [];
      const rows = async function* () {
        const listing = await listRelay(sources, workspace ?? null, { timeoutMs });
        silent = listing.silent;
        yield listing.rows;
      };
      const listing = { noun: 'relay', columns, rows, empty: 'no workspaces' };
      await printSelected(context, listing, options);
      const failure = silenceFailure(silent);
      if (failure) throw failure;
    },
  });
}
