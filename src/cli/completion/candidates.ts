import type {
  CommandDefinition,
  CommandNode,
  Completes,
  NamedOption,
} from '../command-definition.ts';
import { globalOptionList } from '../global-options.ts';

/** What may stand where the cursor is: words, or names that only the cluster knows. */
export interface Candidates {
  readonly words: readonly string[];
  readonly live: 'doc' | 'node' | 'region' | 'context' | 'file' | null;
}

/** Decides from the words before the cursor, the last of them unfinished. Asks nobody. */
export function candidatesFor(
  commands: readonly CommandNode[],
  words: readonly string[],
): Candidates {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const { node, positionals, awaiting } = walk(commands, before);
  if (awaiting !== null) return valuesOf(awaiting.completes, current);
  if (current.startsWith('-')) return startingWith(optionWords(node), current);
  if (node === null)
    return startingWith(
      commands.map(({ name }) => name),
      current,
    );
  if (node.kind === 'group') {
    return startingWith(
      node.commands.filter(({ hidden }) => !hidden).map(({ name }) => name),
      current,
    );
  }
  return valuesOf(argumentAt(node, positionals)?.completes ?? null, current);
}

interface Place {
  readonly node: CommandNode | null;
  readonly positionals: number;
  /** The option whose value comes next. */
  readonly awaiting: NamedOption | null;
}

function walk(commands: readonly CommandNode[], words: readonly string[]): Place {
  let node: CommandNode | null = null;
  let positionals = 0;
  let awaiting: NamedOption | null = null;
  for (const word of words) {
    if (awaiting !== null) awaiting = null;
    else if (word.startsWith('-')) awaiting = optionAwaitingValue(node, word);
    else if (node?.kind === 'command') positionals += 1;
    else {
      const among: readonly CommandNode[] = node?.commands ?? commands;
      node = among.find(({ name }) => name === word) ?? node;
    }
  }
  return { node, positionals, awaiting };
}

function optionsOf(node: CommandNode | null): readonly NamedOption[] {
  return node?.kind === 'command' ? [...node.options, ...globalOptionList] : globalOptionList;
}

function optionAwaitingValue(node: CommandNode | null, word: string): NamedOption | null {
  const option = optionsOf(node).find(({ flags }) => flagNames(flags).includes(word));
  return option?.flags.includes('<') ? option : null;
}

function optionWords(node: CommandNode | null): string[] {
  return [...optionsOf(node).flatMap(({ flags }) => flagNames(flags)), '--help'];
}

function flagNames(flags: string): string[] {
  return flags.match(/(?<=^|[ ,])--?[a-z][a-z0-9-]*/gi) ?? [];
}

function argumentAt(command: CommandDefinition, position: number) {
  const last = command.arguments.at(-1);
  return command.arguments[position] ?? (last?.presence.startsWith('rest') ? last : undefined);
}

function valuesOf(completes: Completes | null, current: string): Candidates {
  if (completes === null) return { words: [], live: null };
  if (typeof completes === 'string') return { words: [], live: completes };
  return startingWith(completes, current);
}

function startingWith(words: readonly string[], current: string): Candidates {
  return { words: words.filter((word) => word.startsWith(current)), live: null };
}
