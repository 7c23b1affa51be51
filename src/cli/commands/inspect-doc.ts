import { checkDocumentName } from '../../foundation/identifiers.ts';
import { clipText } from '../../foundation/safe-text.ts';
import { type DocDescription, describeDoc } from '../../operations/inspect/describe-doc.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { fieldLines, type Line } from '../output/styled-text.ts';
import { required } from '../parameters.ts';
import { leaseStyle } from './inspect-leases.ts';

const stateLengthShown = 2_000;

/** Shows one document. */
export function inspectDocCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'doc',
    summary: 'show a document',
    description: [
      'Shows where the log of a document ends, who owns it, and what is in it. Acquires nothing. Exits 4 when it was never written.',
    ],
    impact: 'ro',
    output: 'report',
    arguments: {
      doc: required('the document', { parse: checkDocumentName, completes: 'doc' }),
    },
    examples: [
      { run: 'backplane inspect doc doc-123', shows: 'its seq, epoch, owner and state' },
      { run: 'backplane inspect doc doc-123 -o json', shows: 'the same for programs' },
    ],
    action: async ({ doc }) => {
      const { sessions, leases } = await context.engine();
      const visitor = await context.visitor();
      const { timeoutMs } = context.settings;
      const report = await describeDoc({ sessions, leases, visitor }, doc, { timeoutMs });
      await context.print.report(report, asLines);
    },
  });
}

function asLines(doc: DocDescription): Line[] {
  const { lease } = doc;
  const state = doc.state === null ? null : JSON.stringify(doc.state);
  return fieldLines([
    ['document', doc.doc],
    ['seq', doc.seq],
    ['epoch', doc.epoch],
    ['owner', lease ? (lease.nodeId ?? `session ${lease.session}`) : 'nobody'],
    ['lease', lease && { text: lease.state, style: leaseStyle(lease.state) }],
    ['last writer', doc.nodeId ?? `session ${doc.session}`],
    ['snapshot', doc.snapshotSeq === 0 ? 'none' : `up to seq ${doc.snapshotSeq}`],
    ['chain', doc.chain === '' ? null : doc.chain],
    ['state', state === null ? null : clipText(state, stateLengthShown)],
  ]);
}
