import { checkDocumentName, checkNodeId } from '../../foundation/identifiers.ts';
import { acquireLease, type OwnershipReport } from '../../operations/act/acquire-lease.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { Line } from '../output/styled-text.ts';
import { option, required } from '../parameters.ts';

/** Makes a node the owner of a document. */
export function leaseAcquireCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'acquire',
    summary: 'make a node the owner of a document',
    description: [
      'Makes a live node take a document that nobody owns. The node keeps it as long as it is used, as any other. Exits 8 when another node owns it.',
    ],
    impact: 'rw',
    output: 'report',
    arguments: {
      doc: required('the document', { parse: checkDocumentName, completes: 'doc' }),
    },
    options: {
      node: option('--node <ID>', 'which node (default: one that is fit)', checkNodeId, {
        completes: 'node',
      }),
    },
    examples: [
      { run: 'backplane lease acquire doc-123', shows: 'some node owns it now' },
      { run: 'backplane lease acquire doc-123 --node web-1', shows: 'web-1 owns it now' },
    ],
    action: async ({ doc }, { node }) => {
      const { sessions } = await context.engine();
      const visitor = await context.visitor();
      const { timeoutMs } = context.settings;
      const options = node === undefined ? { timeoutMs } : { timeoutMs, node };
      await context.print.report(await acquireLease({ sessions, visitor }, doc, options), asLines);
    },
  });
}

function asLines({ doc, nodeId, epoch }: OwnershipReport): Line[] {
  return [[{ text: doc, style: 'bold' }, ` is owned by ${nodeId}, epoch ${epoch}`]];
}
