import { type DocReport, listDocs } from '../../operations/inspect/list-docs.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { printSelected, selectionOptions } from '../list-selection.ts';
import type { Column } from '../output/column.ts';
import { option } from '../parameters.ts';
import { anyText } from '../parse-values.ts';

const columns: readonly Column<DocReport>[] = [
  { key: 'doc', header: 'DOCUMENT', lengthMax: 80 },
  { key: 'seq', header: 'SEQ', align: 'right' },
  { key: 'epoch', header: 'EPOCH', align: 'right' },
  { key: 'nodeId', header: 'LAST OWNER' },
  { key: 'snapshotSeq', header: 'SNAPSHOT', align: 'right' },
  { key: 'session', header: 'SESSION', wide: true },
];

/** Lists what is in the store. */
export function inspectDocsCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'docs',
    summary: 'list the documents of the store',
    description: [
      'Lists every document that was ever written, owned now or not, with the end of its log. A live node reads them from the store, because only nodes reach it.',
    ],
    impact: 'ro',
    output: 'listing',
    options: {
      doc: option('--doc <PATTERN>', 'only documents whose name matches, as doc-*', anyText),
      ...selectionOptions(columns),
    },
    examples: [
      { run: 'backplane inspect docs', shows: 'every document' },
      { run: "backplane inspect docs --doc 'doc-*' --sort -seq", shows: 'the longest logs first' },
    ],
    action: async (_, options) => {
      const { sessions } = await context.engine();
      const visitor = await context.visitor();
      const { timeoutMs } = context.settings;
      const query = options.doc === undefined ? { timeoutMs } : { timeoutMs, doc: options.doc };
      const rows = () => listDocs({ sessions, visitor }, query);
      await printSelected(context, { noun: 'docs', columns, rows, empty: 'no documents' }, options);
    },
  });
}
