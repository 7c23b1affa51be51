import { checkDocumentName } from '../../foundation/identifiers.ts';
import { type ReleaseReport, releaseLease } from '../../operations/act/release-lease.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { Line } from '../output/styled-text.ts';
import { required } from '../parameters.ts';

/** Makes the owner give a document up. */
export function leaseReleaseCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'release',
    summary: 'make the owner give a document up',
    description: [
      'Makes the owner finish what is in flight and give the document up. Nothing is lost: the next op or request makes some node its owner again. Exits 4 when nobody owns it.',
    ],
    impact: 'rw',
    output: 'report',
    arguments: {
      doc: required('the document', { parse: checkDocumentName, completes: 'doc' }),
    },
    examples: [
      { run: 'backplane lease release doc-123', shows: 'who gave it up' },
      { run: 'backplane lease release doc-123 -o json', shows: 'the same for programs' },
    ],
    action: async ({ doc }) => {
      const { sessions, leases } = await context.engine();
      const visitor = await context.visitor();
      const { timeoutMs } = context.settings;
      const report = await releaseLease({ sessions, leases, visitor }, doc, { timeoutMs });
      await context.print.report(report, asLines);
    },
  });
}

function asLines({ doc, nodeId, epoch }: ReleaseReport): Line[] {
  return [[{ text: doc, style: 'bold' }, ` was given up by ${nodeId}, epoch ${epoch}`]];
}
