import { BackplaneError } from '../foundation/errors.ts';
import type { NamedOption } from './command-definition.ts';

/** The variables of the process, as a value. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a value came from. `name` is the flag, the variable or the context. */
export interface Origin {
  readonly from: 'flag' | 'environment' | 'context' | 'default';
  readonly name: string | null;
}

export interface ResolvedOptions {
  readonly values: Readonly<Record<string, unknown>>;
  readonly origins: Readonly<Record<string, Origin>>;
}

/** What a named context says about the options, as texts. */
export interface ContextValues {
  readonly name: string;
  readonly values: Readonly<Record<string, string | undefined>>;
}

/**
 * Flag beats environment beats context beats default. An empty variable counts as not set. Throws
 * USAGE.
 */
export function resolveOptions(
  options: readonly NamedOption[],
  flags: Readonly<Record<string, unknown>>,
  environment: Environment,
  context: ContextValues | null = null,
): ResolvedOptions {
  const values: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  for (const option of options) {
    const variable = option.env === null ? undefined : environment[option.env];
    if (flags[option.name] !== undefined) {
      values[option.name] = flags[option.name];
      origins[option.name] = { from: 'flag', name: longFlag(option.flags) };
    } else if (variable !== undefined && variable !== '') {
      values[option.name] = parseVariable(option, variable);
      origins[option.name] = { from: 'environment', name: option.env };
    } else if (context?.values[option.name] !== undefined) {
      const text = context.values[option.name] as string;
      const { name } = context;
      const what = `${option.name} of the context "${name}"`;
      values[option.name] = option.parse === null ? text : parseNamed(what, option.parse, text);
      origins[option.name] = { from: 'context', name };
    } else {
      values[option.name] = option.fallback;
      origins[option.name] = { from: 'default', name: null };
    }
  }
  return { values, origins };
}

function parseVariable(option: NamedOption, text: string): unknown {
  if (option.parse === null) return !['0', 'false', 'no'].includes(text.toLowerCase());
  return parseNamed(option.env as string, option.parse, text);
}

/** Reads a value; what is wrong with it is told with the name of the flag, argument or variable. */
export function parseNamed(name: string, parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof BackplaneError)) throw error;
    throw new BackplaneError(error.code, `${name}: ${error.message}`, {
      remedy: error.remedy,
      facts: error.facts,
      cause: error.cause,
    });
  }
}

/** `-o, --output <FORMAT>` is called `--output`. */
export function longFlag(flags: string): string {
  return /--[a-z][a-z0-9-]*/.exec(flags)?.[0] ?? flags;
}
