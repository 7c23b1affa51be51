import { BackplaneError } from '../../foundation/errors.ts';
import { checkDocumentName, checkNodeId } from '../../foundation/identifiers.ts';
import { type MoveReport, moveLease } from '../../operations/act/move-lease.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { Line } from '../output/styled-text.ts';
import { option, required } from '../parameters.ts';

/** Hands a document to another node. */
export function leaseMoveCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'move',
    summary: 'hand a document to another node',
    description: [
      'Makes the owner finish what is in flight and hand the document to another node. No op and no request is lost on the way. Exits 4 when nobody owns it or the node is unknown, 6 when the node is dead.',
    ],
    impact: 'rw',
    output: 'report',
    arguments: {
      doc: required('the document', { parse: checkDocumentName, completes: 'doc' }),
    },
    options: {
      to: option('--to <ID>', 'the node that shall own it (required)', checkNodeId, {
        completes: 'node',
      }),
    },
    examples: [
      { run: 'backplane lease move doc-123 --to web-2', shows: 'from whom, to whom, new epoch' },
      { run: 'backplane lease move doc-123 --to web-2 -o json', shows: 'the same for programs' },
    ],
    action: async ({ doc }, { to }) => {
      if (to === undefined) throw new BackplaneError('USAGE', 'lease move needs --to NODE');
      const { sessions, leases } = await context.engine();
      const visitor = await context.visitor();
      const { timeoutMs } = context.settings;
      const report = await moveLease({ sessions, leases, visitor }, doc, to, { timeoutMs });
      await context.print.report(report, asLines);
    },
  });
}

function asLines({ doc, nodeId, fromNodeId, epoch, moved }: MoveReport): Line[] {
  const name = { text: doc, style: 'bold' } as const;
  if (!moved) return [[name, ` is where it was: ${nodeId}, epoch ${epoch}`]];
  return [[name, ` went from ${fromNodeId} to ${nodeId}, epoch ${epoch}`]];
}
