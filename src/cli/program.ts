import { Argument, Command, Option } from 'commander';
import type {
  CommandDefinition,
  CommandNode,
  NamedArgument,
  NamedOption,
} from './command-definition.ts';
import type { CommandEntry } from './command-table.ts';
import { globalOptionList } from './global-options.ts';
import { commandHelp, programHelp } from './help-page.ts';
import { optionText, placeholder } from './option-text.ts';
import { longFlag, parseNamed } from './option-values.ts';

export interface ProgramHooks {
  readonly version: string;
  readonly columns: number;
  load(entry: CommandEntry): Promise<CommandNode>;
  /** Runs a command with what the command line gave. */
  run(command: CommandDefinition, given: GivenValues): Promise<void>;
  /** Takes what the parser prints: help and the version. */
  print(text: string): void;
}

/** What the command line gave, before environment and defaults. */
export interface GivenValues {
  readonly args: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly globals: Readonly<Record<string, unknown>>;
}

/**
 * The command tree for the parser. A top-level command is a stub until it is chosen; only then its
 * module is loaded, so that a command costs nothing but itself.
 */
export function buildProgram(
  visible: readonly CommandEntry[],
  hidden: readonly CommandEntry[],
  hooks: ProgramHooks,
): Command {
  const program = new Command('backplane')
    .version(hooks.version, '-V, --version')
    .helpOption('-h, --help')
    .helpCommand(false)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({ writeOut: hooks.print, writeErr: () => {}, outputError: () => {} })
    .configureHelp({ formatHelp: () => programHelp(visible, hooks.columns) });
  for (const option of globalOptionList) program.addOption(asOption(option));

  const entries = new Map<Command, CommandEntry>();
  for (const entry of [...visible, ...hidden]) {
    // `command()` and not `addCommand`: it passes exitOverride and the output on to the child.
    entries.set(program.command(entry.name, { hidden: hidden.includes(entry) }), entry);
  }
  program.hook('preSubcommand', async (_, stub) => {
    const entry = entries.get(stub);
    if (entry !== undefined) fill(stub, await hooks.load(entry), hooks);
  });
  return program;
}

/** Gives a command of the parser everything its definition says. */
function fill(command: Command, node: CommandNode, hooks: ProgramHooks): void {
  command.helpCommand(false);
  command.configureHelp({ formatHelp: () => commandHelp(pathOf(command), node, hooks.columns) });
  if (node.kind === 'group') {
    for (const child of node.commands) {
      fill(command.command(child.name, { hidden: child.hidden }), child, hooks);
    }
    return;
  }
  for (const argument of node.arguments) command.addArgument(asArgument(argument));
  for (const option of node.options) command.addOption(asOption(option));
  command.action(async (...values: unknown[]) => {
    const args = Object.fromEntries(node.arguments.map(({ name }, at) => [name, values[at]]));
    const globals = rootOf(command).opts();
    await hooks.run(node, { args, options: command.opts(), globals });
  });
}

/** The name of a command in full: `backplane inspect nodes`. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

function asArgument(definition: NamedArgument): Argument {
  const argument = new Argument(placeholder(definition), definition.description);
  const { parse, presence } = definition;
  if (parse === null) return argument;
  const read = (text: string) => parseNamed(definition.name.toUpperCase(), parse, text);
  if (presence === 'required' || presence === 'optional') return argument.argParser(read);
  return argument.argParser((text: string, before: unknown) => collect(before, read(text)));
}

function asOption(definition: NamedOption): Option {
  const option = new Option(definition.flags, optionText(definition));
  const { parse } = definition;
  if (definition.bare !== undefined) option.preset(definition.bare);
  if (parse === null) return option;
  const read = (text: unknown) => {
    // The preset of an option without its value has been read already.
    if (typeof text !== 'string') return text;
    return parseNamed(longFlag(definition.flags), parse, text);
  };
  if (!definition.repeatable) return option.argParser(read);
  return option.argParser((text: string, before: unknown) => collect(before, read(text)));
}

function collect(before: unknown, value: unknown): unknown[] {
  return [...(Array.isArray(before) ? before : []), value];
}
