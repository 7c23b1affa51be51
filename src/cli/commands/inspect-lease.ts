import { checkDocumentName } from '../../foundation/identifiers.ts';
import { describeLease, type LeaseDescription } from '../../operations/inspect/describe-lease.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { ago } from '../output/relative-time.ts';
import { fieldLines, type Line } from '../output/styled-text.ts';
import { required } from '../parameters.ts';
import { expiryText, leaseStyle } from './inspect-leases.ts';
import { nodeStyle } from './inspect-nodes.ts';

/** Shows who owns one document. */
export function inspectLeaseCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'lease',
    summary: 'show who owns a document',
    description: [
      'Shows the lease of a document and how its owner is. Looking never acquires it. Exits 4 when nobody owns it.',
    ],
    impact: 'ro',
    output: 'report',
    arguments: {
      doc: required('the document', { parse: checkDocumentName, completes: 'doc' }),
    },
    examples: [
      { run: 'backplane inspect lease doc-123', shows: 'its owner, epoch and expiry' },
      { run: 'backplane inspect lease doc-123 -o json', shows: 'the same for programs' },
    ],
    action: async ({ doc }) => {
      await context.print.report(await describeLease(await context.engine(), doc), asLines);
    },
  });
}

export function asLines(lease: LeaseDescription): Line[] {
  return fieldLines([
    ['document', lease.doc],
    ['owner', lease.nodeId ?? { text: 'forgotten', style: 'bad' }],
    ['state', { text: lease.state, style: leaseStyle(lease.state) }],
    ['epoch', lease.epoch],
    ['expires in', expiryText(lease)],
    ['session', lease.session],
    [
      'owner is',
      lease.ownerState && { text: lease.ownerState, style: nodeStyle(lease.ownerState) },
    ],
    ['address', lease.ownerAddress],
    ['last beat', lease.ownerLastBeatAgoMs === null ? null : ago(lease.ownerLastBeatAgoMs)],
  ]);
}
