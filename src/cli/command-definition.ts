import { invariant } from '../foundation/assert.ts';
import type { CommandContext } from './context.ts';

/**
 * A command as data. Help, man pages, completion and the parser are all made from it, so none of
 * them can say something else than the others.
 */
export interface CommandDefinition {
  readonly kind: 'command';
  readonly name: string;
  /** One line, lower case, without a full stop. */
  readonly summary: string;
  /** Paragraphs for the help and the man page. */
  readonly description: readonly string[];
  readonly impact: Impact;
  readonly output: OutputKind;
  readonly arguments: readonly NamedArgument[];
  readonly options: readonly NamedOption[];
  readonly examples: readonly Example[];
  /** SIGINT and SIGTERM are the normal way to end it: exit 0, and no hurry. */
  readonly endsBySignal: boolean;
  /** Left out of help, manual and completion. */
  readonly hidden: boolean;
  /** Opens no cluster, so it works without the secrets of the context in use. */
  readonly opensNothing: boolean;
  /** Runs with the values of arguments and options under their names. */
  run(args: Record<string, unknown>, options: Record<string, unknown>): Promise<void>;
}

/** A verb with nouns under it, as `inspect`. */
export interface CommandGroup {
  readonly kind: 'group';
  readonly name: string;
  readonly summary: string;
  readonly description: readonly string[];
  readonly commands: readonly CommandDefinition[];
}

export type CommandNode = CommandDefinition | CommandGroup;

/** What a module of `commands/` exports for the command table. */
export type CommandFactory = (context: CommandContext) => CommandNode;

/** `ro`: changes nothing in the cluster, whatever the arguments. `rw`: may. */
export type Impact = 'ro' | 'rw';

/**
 * What goes to standard output, and so which `-o` make sense: a `listing` all; a `report` (one
 * object) table, json, jsonl and yaml; a `stream` table, json, jsonl and csv; `text` is only text.
 */
export type OutputKind = 'listing' | 'report' | 'stream' | 'text';

export interface Example {
  /** A whole command line that works as printed. */
  readonly run: string;
  readonly shows: string;
}

/** What an argument or the value of an option may be, for shell completion. */
export type Completes = 'doc' | 'node' | 'region' | 'context' | 'file' | readonly string[];

/** `rest`: one or more; `restOrNone`: any number. */
export type Presence = 'required' | 'optional' | 'rest' | 'restOrNone';

export interface ArgumentDefinition<Value> {
  readonly description: string;
  readonly presence: Presence;
  readonly parse: ((text: string) => unknown) | null;
  readonly completes: Completes | null;
  /** Never set: carries the type of the value. */
  readonly value?: Value;
}

export interface OptionDefinition<Value> {
  /** As commander takes it: `-n, --count <N>`, `--watch [DURATION]`, `--force`. */
  readonly flags: string;
  readonly description: string;
  readonly parse: ((text: string) => unknown) | null;
  readonly env: string | null;
  readonly fallback: Value | undefined;
  /** The default as help shows it; null when there is none to show. */
  readonly fallbackText: string | null;
  /** The value when an optional value is left out. */
  readonly bare: unknown;
  readonly repeatable: boolean;
  readonly completes: Completes | null;
}

export type NamedArgument = ArgumentDefinition<unknown> & { readonly name: string };
export type NamedOption = OptionDefinition<unknown> & { readonly name: string };

type ArgumentTable = Readonly<Record<string, ArgumentDefinition<unknown>>>;
type OptionTable = Readonly<Record<string, OptionDefinition<unknown>>>;

export type ArgumentValues<Table extends ArgumentTable> = {
  readonly [Name in keyof Table]: Table[Name] extends ArgumentDefinition<infer Value>
    ? Value
    : never;
};
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends OptionDefinition<infer Value> ? Value : never;
};

export interface CommandShape<Args extends ArgumentTable, Options extends OptionTable> {
  readonly name: string;
  readonly summary: string;
  readonly description: readonly string[];
  readonly impact: Impact;
  readonly output: OutputKind;
  /** In the order of the command line. */
  readonly arguments?: Args;
  /** Each under the camel-case name of its long flag. */
  readonly options?: Options;
  readonly examples: readonly Example[];
  readonly endsBySignal?: boolean;
  readonly hidden?: boolean;
  readonly opensNothing?: boolean;
  readonly action: (args: ArgumentValues<Args>, options: OptionValues<Options>) => Promise<void>;
}

// biome-ignore lint/complexity/noBannedTypes: a command without arguments has none
type None = {};

/**
 * Declares a command; the types of `action` follow from its arguments and options.
 *
 * ```ts
 * export function leaseShowCommand(context: CommandContext): CommandDefinition {
 *   return defineCommand({
 *     name: 'show', summary: 'show who owns a document', description: ['…'],
 *     impact: 'ro', output: 'report',
 *     arguments: { doc: required('the document', { completes: 'doc' }) },
 *     options: { since: option('--since <SEQ>', 'from this seq', parseSeq) },
 *     examples: [{ run: 'backplane lease show doc-123', shows: 'the owner of doc-123' }],
 *     action: async ({ doc }, { since }) => {
 *       const report = await showLease(await context.engine(), doc, since);
 *       await context.print.report(report, asLines);
 *     },
 *   });
 * }
 * ```
 */
export function defineCommand<
  Args extends ArgumentTable = None,
  Options extends OptionTable = None,
>(shape: CommandShape<Args, Options>): CommandDefinition {
  const options = Object.entries(shape.options ?? {});
  for (const [name, { flags }] of options) {
    invariant(name === optionName(flags), `the option ${flags} is declared as ${name}`);
  }
  return {
    kind: 'command',
    name: shape.name,
    summary: shape.summary,
    description: shape.description,
    impact: shape.impact,
    output: shape.output,
    arguments: Object.entries(shape.arguments ?? {}).map(([name, each]) => ({ ...each, name })),
    options: options.map(([name, each]) => ({ ...each, name })),
    examples: shape.examples,
    endsBySignal: shape.endsBySignal ?? false,
    hidden: shape.hidden ?? false,
    opensNothing: shape.opensNothing ?? false,
    run: (args, values) =>
      shape.action(args as ArgumentValues<Args>, values as OptionValues<Options>),
  };
}

export function defineGroup(group: Omit<CommandGroup, 'kind'>): CommandGroup {
  return { kind: 'group', ...group };
}

/** `-n, --lease-ttl <DURATION>` is the option `leaseTtl`; `--no-color` is `color`. */
export function optionName(flags: string): string {
  const long = /--(?:no-)?([a-z][a-z0-9-]*)/.exec(flags)?.[1];
  invariant(long !== undefined, `every option has a long flag, unlike ${flags}`);
  return long.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
