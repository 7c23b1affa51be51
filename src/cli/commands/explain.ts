import { BackplaneError } from '../../foundation/errors.ts';
import { checkDocumentName, checkNodeId } from '../../foundation/identifiers.ts';
import { explainDoc } from '../../operations/diagnose/explain-doc.ts';
import { explainNode } from '../../operations/diagnose/explain-node.ts';
import type { Explanation, Statement } from '../../operations/diagnose/explanation.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { Line, Style } from '../output/styled-text.ts';
import { required } from '../parameters.ts';

type Subject =
  | { readonly kind: 'doc'; readonly name: string }
  | { readonly kind: 'node'; readonly name: string };

const styles: Readonly<Record<Statement['tone'], Style | null>> = {
  good: 'good',
  bad: 'bad',
  plain: null,
};

/** Says why something is as it is. */
export function explainCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'explain',
    summary: 'say why a document or a node is as it is',
    description: [
      'Says in a few sentences why a document is served or stuck, or why a node is alive, silent, deaf or dead: each sentence with what it rests on, and at the end the next command to type. With -o json the same is a graph: each statement names those it follows from.',
      'A document is named as it is, or as doc:ID when it begins with node: itself.',
    ],
    impact: 'ro',
    output: 'report',
    arguments: {
      subject: required('a document, or node:ID', { parse: parseSubject, completes: 'doc' }),
    },
    examples: [
      { run: 'backplane explain doc-123', shows: 'who owns it, and whether it is served' },
      { run: 'backplane explain node:web-1', shows: 'what became of web-1' },
    ],
    action: async ({ subject }) => {
      const engine = await context.engine();
      const visitor = await context.visitor();
      const { clock, signal } = context;
      const { timeoutMs } = context.settings;
      const parts = { engine, visitor, clock };
      const explain = subject.kind === 'doc' ? explainDoc : explainNode;
      await context.print.report(
        await explain(parts, subject.name, { timeoutMs, signal }),
        asLines,
      );
    },
  });
}

function parseSubject(text: string): Subject {
  if (text.startsWith('node:')) return { kind: 'node', name: checkNodeId(text.slice(5)) };
  if (text.startsWith('user:')) {
    throw new BackplaneError('USAGE', 'this version keeps no users to explain', {
      remedy: 'explain a document or node:ID; a document of this name is doc:user:...',
    });
  }
  const name = text.startsWith('doc:') ? text.slice(4) : text;
  return { kind: 'doc', name: checkDocumentName(name) };
}

function asLines({ subject, statements, next }: Explanation): Line[] {
  return [
    [{ text: subject, style: 'bold' }],
    ...statements.flatMap(statementLines),
    [
      { text: 'next  ', style: 'dim' },
      { text: next, style: 'bold' },
    ],
  ];
}

function statementLines({ tone, text, evidence }: Statement): Line[] {
  const style = styles[tone];
  const facts = evidence.map(({ source, fact }) => `${source}: ${fact}`).join('; ');
  return [style === null ? text : [{ text, style }], [{ text: `    ${facts}`, style: 'dim' }]];
}
