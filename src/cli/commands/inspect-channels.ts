import { type ChannelReport, listChannels } from '../../operations/inspect/list-channels.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { printSelected, selectionOptions } from '../list-selection.ts';
import type { Column } from '../output/column.ts';

const columns: readonly Column<ChannelReport>[] = [
  { key: 'channel', header: 'CHANNEL', lengthMax: 80 },
  { key: 'kind', header: 'KIND' },
  { key: 'doc', header: 'DOCUMENT', lengthMax: 80 },
  { key: 'nodeId', header: 'NODE' },
  { key: 'receivers', header: 'RECEIVERS', align: 'right' },
  { key: 'session', header: 'SESSION', wide: true },
];

/** Lists what is listened to on the bus. */
export function inspectChannelsCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'channels',
    summary: 'list the channels of the bus that somebody listens to',
    description: [
      'Lists every channel with a subscriber: an inbox for each session, and one channel for each document that a node follows. An inbox without a node belongs to a visiting command. This command subscribes to none of them.',
    ],
    impact: 'ro',
    output: 'listing',
    options: selectionOptions(columns),
    examples: [
      { run: 'backplane inspect channels', shows: 'who can be reached' },
      {
        run: 'backplane inspect channels --filter kind=doc',
        shows: 'which documents are followed',
      },
    ],
    action: async (_, options) => {
      const engine = await context.engine();
      const rows = () => listChannels(engine);
      await printSelected(context, { noun: 'channels', columns, rows }, options);
    },
  });
}
