import type { ArgumentDefinition, Completes, OptionDefinition } from './command-definition.ts';

interface ArgumentMore<Value> {
  readonly parse?: (text: string) => Value;
  readonly completes?: Completes;
}

interface OptionMore {
  /** The environment variable that is read when the flag is absent. */
  readonly env?: string;
  readonly completes?: Completes;
}

/** An argument that must be there. */
export function required<Value = string>(
  description: string,
  more: ArgumentMore<Value> = {},
): ArgumentDefinition<Value> {
  return argument(description, 'required', more);
}

/** An argument that may be left out. */
export function optional<Value = string>(
  description: string,
  more: ArgumentMore<Value> = {},
): ArgumentDefinition<Value | undefined> {
  return argument(description, 'optional', more);
}

/** All remaining arguments, at least one. */
export function rest<Value = string>(
  description: string,
  more: ArgumentMore<Value> = {},
): ArgumentDefinition<readonly Value[]> {
  return argument(description, 'rest', more);
}

function argument(
  description: string,
  presence: 'required' | 'optional' | 'rest',
  more: ArgumentMore<unknown>,
): ArgumentDefinition<never> {
  return {
    description,
    presence,
    parse: more.parse ?? null,
    completes: more.completes ?? null,
  };
}

/** A switch: `flag('--force', 'even if …')`. */
export function flag(flags: string, description: string, more: OptionMore = {}) {
  return make<boolean>(flags, description, null, { ...more, fallback: false });
}

/** An option with a value, `undefined` when it is not given. */
export function option<Value>(
  flags: string,
  description: string,
  parse: (text: string) => Value,
  more: OptionMore & { readonly bare?: Value } = {},
): OptionDefinition<Value | undefined> {
  return make<Value | undefined>(flags, description, parse, more);
}

/** An option with a default; `fallbackText` is how help shows it. */
export function optionWithDefault<Value>(
  flags: string,
  description: string,
  parse: (text: string) => Value,
  more: OptionMore & { readonly fallback: Value; readonly fallbackText: string },
): OptionDefinition<Value> {
  return make<Value>(flags, description, parse, more);
}

/** An option that may be given several times. */
export function optionList<Value>(
  flags: string,
  description: string,
  parse: (text: string) => Value,
  more: OptionMore = {},
): OptionDefinition<readonly Value[]> {
  return make<readonly Value[]>(flags, description, parse, {
    ...more,
    fallback: [],
    repeatable: true,
  });
}

function make<Value>(
  flags: string,
  description: string,
  parse: ((text: string) => unknown) | null,
  more: OptionMore & {
    readonly fallback?: Value;
    readonly fallbackText?: string;
    readonly bare?: unknown;
    readonly repeatable?: boolean;
  },
): OptionDefinition<Value> {
  return {
    flags,
    description,
    parse,
    env: more.env ?? null,
    fallback: more.fallback,
    fallbackText: more.fallbackText ?? null,
    bare: more.bare,
    repeatable: more.repeatable ?? false,
    completes: more.completes ?? null,
  };
}
