import type { CommandDefinition, CommandNode } from './command-definition.ts';
import type { CommandEntry } from './command-table.ts';
import { globalOptionList } from './global-options.ts';
import { optionText, placeholder } from './option-text.ts';

/** A headed list of names and what they are. */
interface Section {
  readonly heading: string;
  readonly items: readonly (readonly [string, string])[];
}

const helpItem = ['-h, --help', 'explain the command'] as const;
const widthMax = 100;

/** The page of `backplane --help`: commands first, since most people look for one. */
export function programHelp(entries: readonly CommandEntry[], columns: number): string {
  const headings = [...new Set(entries.map(({ heading }) => heading))];
  const sections: Section[] = headings.map((heading) => ({
    heading,
    items: entries.filter((entry) => entry.heading === heading).map(nameAndSummary),
  }));
  const options = globalOptionList.map((each) => [each.flags, optionText(each)] as const);
  sections.push({
    heading: 'Options of every command:',
    items: [...options, ['-V, --version', 'print the version'], helpItem],
  });
  return page(
    'backplane COMMAND [options]',
    ['Run, operate and diagnose clusters of nodes that share documents.'],
    sections,
    columns,
    [
      'backplane COMMAND --help explains a command. backplane help TOPIC explains exit-codes, ' +
        'environment, errors, checks, model or history, and backplane help BP-LEASE-HELD an error code.',
    ],
  );
}

/** The page of one command; `path` is its name in full, as `backplane inspect nodes`. */
export function commandHelp(path: string, node: CommandNode, columns: number): string {
  if (node.kind === 'group') {
    const commands = node.commands.filter((each) => !each.hidden);
    const sections = [{ heading: 'Commands:', items: commands.map(nameAndSummary) }];
    return page(`${path} COMMAND [options]`, node.description, sections, columns, [
      `${path} COMMAND --help explains a command.`,
    ]);
  }
  const options = node.options.map((each) => [each.flags, optionText(each)] as const);
  const sections: Section[] = [
    {
      heading: 'Arguments:',
      items: node.arguments.map((each) => [placeholder(each), each.description] as const),
    },
    { heading: 'Options:', items: [...options, helpItem] },
  ];
  const more = 'Options of every command, as --url, --output and --timeout: backplane --help';
  return page(
    usageLine(path, node),
    node.description,
    sections,
    columns,
    [],
    [...exampleLines(node), more],
  );
}

/** How the command is written: `backplane op <DOC> <PAYLOAD> [options]`. */
export function usageLine(path: string, command: CommandDefinition): string {
  return [path, ...command.arguments.map(placeholder), '[options]'].join(' ');
}

function exampleLines({ examples }: CommandDefinition): string[] {
  if (examples.length === 0) return [];
  return ['Examples:', ...examples.flatMap(({ run, shows }) => [`  # ${shows}`, `  ${run}`, ''])];
}

function page(
  usage: string,
  description: readonly string[],
  sections: readonly Section[],
  columns: number,
  footer: readonly string[],
  verbatim: readonly string[] = [],
): string {
  const width = Math.min(columns, widthMax);
  const shown = sections.filter(({ items }) => items.length > 0);
  const termWidth = Math.max(...shown.flatMap(({ items }) => items.map(([term]) => term.length)));
  const lines = [`Usage: ${usage}`, ''];
  for (const paragraph of description) lines.push(...wrapText(paragraph, width), '');
  for (const { heading, items } of shown) {
    lines.push(heading, ...items.flatMap((item) => itemLines(item, termWidth, width)), '');
  }
  lines.push(...verbatim, ...footer.flatMap((each) => wrapText(each, width)));
  return `${lines.join('\n')}\n`;
}

function itemLines(
  [term, text]: readonly [string, string],
  termWidth: number,
  width: number,
): string[] {
  const indent = termWidth + 4;
  const [first = '', ...others] = wrapText(text, Math.max(30, width - indent));
  return [
    `  ${term.padEnd(termWidth)}  ${first}`,
    ...others.map((line) => ' '.repeat(indent) + line),
  ];
}

/** Breaks a text at spaces; a word longer than the width stays whole. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

function nameAndSummary({
  name,
  summary,
}: {
  readonly name: string;
  readonly summary: string;
}): readonly [string, string] {
  return [name, summary];
}
