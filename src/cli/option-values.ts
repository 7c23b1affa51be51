import { BackplaneError } from '../foundation/errors.ts';
import type { NamedOption } from './command-definition.ts';

/** The variables of the process, as a value. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a value came from. `name` is the flag or the variable. */
export interface Origin {
  readonly from: 'flag' | 'environment' | 'default';
  readonly name: string | null;
}

export interface ResolvedOptions {
  readonly values: Readonly<Record<string, unknown>>;
  readonly origins: Readonly<Record<string, Origin>>;
}

/** Flag beats environment beats default. An empty variable counts as not set. Throws USAGE. */
export function resolveOptions(
  options: readonly NamedOption[],
  flags: Readonly<Record<string, unknown>>,
  environment: Environment,
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
