import { formatDuration } from '../../foundation/duration.ts';
import { checkDocumentName } from '../../foundation/identifiers.ts';
import { silenceFailure } from '../../operations/inspect/ask-every-node.ts';
import { type AwarenessReport, listAwareness } from '../../operations/inspect/list-awareness.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { printSelected, selectionOptions } from '../list-selection.ts';
import type { Column } from '../output/column.ts';
import { payloadText } from '../output/payload-text.ts';
import { optional } from '../parameters.ts';

const columns: readonly Column<AwarenessReport>[] = [
  { key: 'doc', header: 'DOCUMENT', lengthMax: 60 },
  { key: 'peer', header: 'PEER', lengthMax: 40 },
  { key: 'nodeId', header: 'NODE' },
  {
    key: 'sentAgoMs',
    header: 'SENT',
    align: 'right',
    text: ({ sentAgoMs }) => (sentAgoMs === null ? '-' : `${formatDuration(sentAgoMs)} ago`),
  },
  { key: 'payload', header: 'STATE', text: (row) => payloadText(row, 100) },
  { key: 'bytes', header: 'BYTES', align: 'right', wide: true },
  { key: 'clock', header: 'CLOCK', align: 'right', wide: true },
];

/** Lists the awareness of every peer. */
export function inspectAwarenessCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'awareness',
    summary: "list the peers' awareness: cursors and the like",
    description: [
      'Lists the state that each peer has set, of one document or of all, as the node knows it that the peer is connected to. It is never stored, and gone with the peer.',
      'Exits 11 when some nodes did not answer.',
    ],
    impact: 'ro',
    output: 'listing',
    arguments: {
      doc: optional('only this document', { parse: checkDocumentName, completes: 'doc' }),
    },
    options: selectionOptions(columns),
    examples: [
      { run: 'backplane inspect awareness', shows: 'every state of every peer' },
      { run: 'backplane inspect awareness doc-123 --watch 500ms', shows: 'who points where' },
    ],
    action: async ({ doc }, options) => {
      const { sessions } = await context.engine();
      const visitor = await context.visitor();
      const { timeoutMs } = context.settings;
      let silent: readonly string[] = [];
      const rows = async function* () {
        const listing = await listAwareness({ sessions, visitor }, doc ?? null, { timeoutMs });
        silent = listing.silent;
        yield listing.rows;
        if (listing.unlisted > 0) {
          const more = `${listing.unlisted} more do not fit into the answers of their nodes`;
          await context.print.note([{ text: more, style: 'warning' }]);
        }
      };
      const listing = { noun: 'awareness', columns, rows, empty: 'no awareness' };
      await printSelected(context, listing, options);
      const failure = silenceFailure(silent);
      if (failure) throw failure;
    },
  });
}
