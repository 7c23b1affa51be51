import { checkDocumentName, checkName, checkNodeId } from '../../foundation/identifiers.ts';
import { presenceLimits } from '../../foundation/limits.ts';
import { explainDoc } from '../../operations/diagnose/explain-doc.ts';
import { explainNode } from '../../operations/diagnose/explain-node.ts';
import { explainUser } from '../../operations/diagnose/explain-user.ts';
import type { Explanation, Statement } from '../../operations/diagnose/explanation.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { Line, Style } from '../output/styled-text.ts';
import { required } from '../parameters.ts';

interface Subject {
  readonly kind: keyof typeof explainers;
  readonly name: string;
}

const explainers = { doc: explainDoc, node: explainNode, user: explainUser };

const styles: Readonly<Record<Statement['tone'], Style | null>> = {
  good: 'good',
  bad: 'bad',
  plain: null,
};

/** Says why something is as it is. */
export function explainCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'explain',
    summary: 'say why a document, node or user is as it is',
    description: [
      'Says in a few sentences why a document is served or stuck, or why a node is alive, silent, deaf or dead, or where a user is and whether messages get there: each sentence with what it rests on, and at the end the next command to type. With -o json the same is a graph: each statement names those it follows from.',
      'A document is named as it is, or as doc:ID when it begins with node: or user: itself.',
    ],
    impact: 'ro',
    output: 'report',
    arguments: {
      subject: required('a document, node:ID or user:ID', {
        parse: parseSubject,
        completes: 'doc',
      }),
    },
    examples: [
      { run: 'backplane explain doc-123', shows: 'who owns it, and whether it is served' },
      { run: 'backplane explain node:web-1', shows: 'what became of web-1' },
      { run: 'backplane explain user:ann', shows: 'where ann is, and whether all see her' },
    ],
    action: async ({ subject }) => {
      const engine = await context.engine();
      const visitor = await context.visitor();
      const { clock, signal } = context;
      const { timeoutMs } = context.settings;
      const parts = { engine, visitor, clock };
      await context.print.report(
        await explainers[subject.kind](parts, subject.name, { timeoutMs, signal }),
        asLines,
      );
    },
  });
}

function parseSubject(text: string): Subject {
  if (text.startsWith('node:')) return { kind: 'node', name: checkNodeId(text.slice(5)) };
  if (text.startsWith('user:')) {
    return { kind: 'user', name: checkName('user', text.slice(5), presenceLimits.userBytesMax) };
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
