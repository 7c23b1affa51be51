import { Argument, Command, Option } from 'commander';
import type {
  CommandDefinition,
  CommandNode,
  NamedArgument,
  NamedOption,
} from './command-definition.ts';
import type { CommandEntry } from './command-table.ts';
import { globalOptionList } from './global-options.ts';
import { formatHelp } from './help-format.ts';
import { longFlag, parseNamed } from './option-values.ts';

const programFooter = `
backplane COMMAND --help explains a command; backplane help explains exit-codes,
environment, errors, model, and each error code: backplane help BP-LEASE-HELD.`;

const commandFooter = '\nOptions of every command, as --url, --output, --timeout: backplane --help';

export interface ProgramHooks {
  readonly version: string;
  readonly columns: number;
  load(entry: CommandEntry): Promise<CommandNode>;
  /** Runs a command with what the command line gave. */
  run(command: CommandDefinition, given: GivenValues): Promise<void>;
  /** Takes what commander prints: help and the version. */
  print(text: string): void;
}

/** What the command line gave, before environment and defaults. */
export interface GivenValues {
  readonly args: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly globals: Readonly<Record<string, unknown>>;
}

/**
 * The command tree for the parser. A top-level command is a stub with its summary until it is
 * chosen; only then its module is loaded, so that help costs nothing it does not need.
 */
export function buildProgram(
  visible: readonly CommandEntry[],
  hidden: readonly CommandEntry[],
  hooks: ProgramHooks,
): Command {
  const program = new Command('backplane')
    .description('Run, operate and diagnose clusters of nodes that share documents.')
    .version(hooks.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain the command')
    .helpCommand(false)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: hooks.print,
      writeErr: () => {},
      outputError: () => {},
      getOutHelpWidth: () => hooks.columns,
      getErrHelpWidth: () => hooks.columns,
    })
    .configureHelp({ formatHelp })
    .usage('COMMAND [options]')
    .addHelpText('after', programFooter);
  for (const option of globalOptionList) program.addOption(asOption(option));

  const entries = new Map<Command, CommandEntry>();
  for (const entry of [...visible, ...hidden]) {
    // `command()` and not `addCommand`: it passes exitOverride and the output on to the child.
    const stub = program.command(entry.name, { hidden: hidden.includes(entry) });
    stub.summary(entry.summary).helpGroup(entry.heading);
    entries.set(stub, entry);
  }
  program.hook('preSubcommand', async (_, stub) => {
    const entry = entries.get(stub);
    if (entry !== undefined) fill(stub, await hooks.load(entry), hooks);
  });
  return program;
}

/** Gives a commander command everything its definition says. */
function fill(command: Command, node: CommandNode, hooks: ProgramHooks): void {
  command.summary(node.summary).description(node.description.join('\n\n')).helpCommand(false);
  if (node.kind === 'group') {
    for (const child of node.commands) {
      fill(command.command(child.name, { hidden: child.hidden }), child, hooks);
    }
    return;
  }
  for (const argument of node.arguments) command.addArgument(asArgument(argument));
  for (const option of node.options) command.addOption(asOption(option));
  command.addHelpText('after', `${examplesText(node)}${commandFooter}`);
  command.action(async (...values: unknown[]) => {
    const args = Object.fromEntries(node.arguments.map(({ name }, at) => [name, values[at]]));
    const globals = rootOf(command).opts();
    await hooks.run(node, { args, options: command.opts(), globals });
  });
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

function asArgument(definition: NamedArgument): Argument {
  const argument = new Argument(placeholder(definition), definition.description);
  const { parse } = definition;
  if (parse === null) return argument;
  const read = (text: string) => parseNamed(definition.name.toUpperCase(), parse, text);
  if (!definition.presence.startsWith('rest')) return argument.argParser(read);
  return argument.argParser((text: string, before: unknown) => collect(before, read(text)));
}

/** `<DOC>`, `[PAYLOAD]`, `<DOC...>`. */
export function placeholder({ name, presence }: NamedArgument): string {
  const word = name.replace(/[A-Z]/g, (letter) => `-${letter}`).toUpperCase();
  if (presence === 'rest') return `<${word}...>`;
  if (presence === 'restOrNone') return `[${word}...]`;
  return presence === 'required' ? `<${word}>` : `[${word}]`;
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

/** The description with the default and the variable, as help and manual show it. */
export function optionText(definition: NamedOption): string {
  const more = [];
  if (definition.fallbackText !== null) more.push(`default: ${definition.fallbackText}`);
  if (definition.env !== null) more.push(definition.env);
  return more.length === 0
    ? definition.description
    : `${definition.description} (${more.join(', ')})`;
}

function collect(before: unknown, value: unknown): unknown[] {
  return [...(Array.isArray(before) ? before : []), value];
}

/** The examples of a command, as its help ends with them. */
function examplesText({ examples }: CommandDefinition): string {
  const lines = examples.map(({ run, shows }) => `  # ${shows}\n  ${run}\n`);
  return `\nExamples:\n${lines.join('\n')}`;
}
