import type {
  ArgumentDefinition,
  Completes,
  OptionDefinition,
  Presence,
} from './command-definition.ts';

interface TextMore {
  readonly completes?: Completes;
}

interface ParsedMore<Value> extends TextMore {
  readonly parse: (text: string) => Value;
}

interface OptionMore {
  /** The environment variable that is read when the flag is absent. */
  readonly env?: string;
  readonly completes?: Completes;
  /** The default as help shows it. */
  readonly fallbackText?: string;
}

/** An argument that must be there: the text, or what `parse` makes of it. */
export function required(description: string, more?: TextMore): ArgumentDefinition<string>;
export function required<Value>(
  description: string,
  more: ParsedMore<Value>,
): ArgumentDefinition<Value>;
export function required(description: string, more: Partial<ParsedMore<unknown>> = {}) {
  return argument(description, 'required', more);
}

/** An argument that may be left out. */
export function optional(
  description: string,
  more?: TextMore,
): ArgumentDefinition<string | undefined>;
export function optional<Value>(
  description: string,
  more: ParsedMore<Value>,
): ArgumentDefinition<Value | undefined>;
export function optional(description: string, more: Partial<ParsedMore<unknown>> = {}) {
  return argument(description, 'optional', more);
}

/** All the arguments that remain, at least one of them. */
export function rest(description: string, more?: TextMore): ArgumentDefinition<readonly string[]>;
export function rest<Value>(
  description: string,
  more: ParsedMore<Value>,
): ArgumentDefinition<readonly Value[]>;
export function rest(description: string, more: Partial<ParsedMore<unknown>> = {}) {
  return argument(description, 'rest', more);
}

/** All the arguments that remain, perhaps none. */
export function restOrNone(
  description: string,
  more: TextMore = {},
): ArgumentDefinition<readonly string[]> {
  return argument(description, 'restOrNone', more);
}

function argument(
  description: string,
  presence: Presence,
  more: Partial<ParsedMore<unknown>>,
): ArgumentDefinition<never> {
  const { parse = null, completes = null } = more;
  return { description, presence, parse, completes };
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
