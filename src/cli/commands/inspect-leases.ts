import { formatDuration } from '../../foundation/duration.ts';
import {
  type LeaseReport,
  type LeaseReportState,
  leaseReportStates,
  listLeases,
} from '../../operations/inspect/list-leases.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { printSelected, selectionOptions } from '../list-selection.ts';
import type { Column } from '../output/column.ts';
import type { Style } from '../output/styled-text.ts';
import { option, optionList } from '../parameters.ts';
import { anyText, oneOf } from '../parse-values.ts';

const columns: readonly Column<LeaseReport>[] = [
  { key: 'doc', header: 'DOCUMENT', lengthMax: 80 },
  { key: 'nodeId', header: 'NODE' },
  { key: 'epoch', header: 'EPOCH', align: 'right' },
  { key: 'state', header: 'STATE', style: ({ state }) => leaseStyle(state) },
  { key: 'expiresInMs', header: 'EXPIRES IN', text: expiryText },
  { key: 'session', header: 'SESSION', wide: true },
];

/** Lists who owns what. */
export function inspectLeasesCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'leases',
    summary: 'list who owns which document',
    description: [
      'Lists every lease with its owner. A lease is held; claimed while its owner takes the document; handed while it passes to another node; orphaned when its owner is dead, and then the next op or request takes the document over.',
      'However many leases there are, they are printed as they are read. Looking never acquires one.',
    ],
    impact: 'ro',
    output: 'listing',
    options: {
      node: option('--node <ID>', 'only those of this node or session', anyText, {
        completes: 'node',
      }),
      state: optionList(
        '--state <STATE>',
        'only leases in this state',
        oneOf(...leaseReportStates),
        { completes: leaseReportStates },
      ),
      doc: option('--doc <PATTERN>', 'only documents whose name matches, as doc-*', anyText),
      ...selectionOptions(columns),
    },
    examples: [
      { run: 'backplane inspect leases', shows: 'who owns what' },
      { run: 'backplane inspect leases --state orphaned', shows: 'what a dead node left behind' },
      { run: 'backplane inspect leases -o jsonl', shows: 'one line each, however many there are' },
    ],
    action: async (_, options) => {
      const engine = await context.engine();
      const query = {
        ...(options.node === undefined ? {} : { node: options.node }),
        ...(options.doc === undefined ? {} : { doc: options.doc }),
        states: options.state as readonly LeaseReportState[],
      };
      const rows = () => listLeases(engine, query);
      await printSelected(context, { noun: 'leases', columns, rows }, options);
    },
  });
}

export function expiryText({ state, expiresInMs }: LeaseReport): string {
  return state === 'orphaned' ? '-' : formatDuration(expiresInMs);
}

export function leaseStyle(state: LeaseReportState): Style {
  switch (state) {
    case 'held':
      return 'good';
    case 'claimed':
    case 'handed':
      return 'warning';
    case 'orphaned':
      return 'bad';
  }
}
