import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { BackplaneError } from '../../foundation/errors.ts';
import { nearest } from '../../foundation/nearest.ts';
import type { Environment } from '../option-values.ts';
import type { SecretReference } from './secret-reference.ts';

/** One named cluster: settings as texts, as a flag would take them, and where its secrets are. */
export interface NamedContext {
  readonly url?: string;
  readonly store?: string;
  readonly prefix?: string;
  readonly dataDir?: string;
  readonly brokerPort?: string;
  readonly timeout?: string;
  readonly urlPassword?: SecretReference;
  readonly token?: SecretReference;
}

/** Every named cluster of this user. Holds no secret, only references to them. */
export interface ContextBook {
  readonly version: 1;
  readonly current: string | null;
  /** For `context -`. */
  readonly previous: string | null;
  readonly contexts: Readonly<Record<string, NamedContext>>;
}

export const contextKeys = [
  ...['url', 'store', 'prefix', 'dataDir', 'brokerPort', 'timeout'],
  ...['urlPassword', 'token'],
] as const;

const emptyBook: ContextBook = { version: 1, current: null, previous: null, contexts: {} };

/** `BACKPLANE_CONTEXTS`, or `contexts.json` in the XDG configuration folder. */
export function contextFile(environment: Environment, home: string): string {
  const named = environment.BACKPLANE_CONTEXTS;
  if (named !== undefined && named !== '') return named;
  const xdg = environment.XDG_CONFIG_HOME;
  const folder = xdg?.startsWith('/') ? xdg : `${home}/.config`;
  return `${folder.replace(/\/+$/, '')}/backplane/contexts.json`;
}

/** The book as it is; an empty one where there is none. Throws CONFIG_INVALID. */
export function readContextBook(file: string): ContextBook {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code;
    if (why === 'ENOENT' || why === 'ENOTDIR') return emptyBook;
    throw unusable(file, `cannot be read: ${why}`, cause);
  }
  try {
    return checkBook(JSON.parse(text));
  } catch (cause) {
    throw unusable(file, cause instanceof BackplaneError ? cause.message : 'is not JSON', cause);
  }
}

/** Writes the whole book in one step, for its user alone. Throws CONFIG_INVALID. */
export function writeContextBook(file: string, book: ContextBook): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, `${JSON.stringify(book, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'an unknown reason';
    throw unusable(file, `cannot be written: ${why}`, cause);
  }
}

/** Throws CONTEXT_UNKNOWN. */
export function contextNamed(book: ContextBook, name: string): NamedContext {
  const found = Object.hasOwn(book.contexts, name) ? book.contexts[name] : undefined;
  if (found !== undefined) return found;
  const close = nearest(name, Object.keys(book.contexts));
  throw new BackplaneError('CONTEXT_UNKNOWN', `no context is called "${name}"`, {
    ...(close !== null && { remedy: `did you mean ${close}? See backplane context ls` }),
    facts: { context: name },
  });
}

/** A name that a shell, a prompt and a file can carry. Throws NAME_INVALID. */
export function checkContextName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(name)) return name;
  throw new BackplaneError('NAME_INVALID', `${JSON.stringify(name)} cannot name a context`, {
    remedy: 'use letters, digits, dot, dash, underscore and @; at most 64 of them',
  });
}

function checkBook(value: unknown): ContextBook {
  const { version, current, previous, contexts } = asObject(value, 'the file');
  if (version !== 1) fail('it has another version than 1');
  const named = Object.entries(asObject(contexts, '"contexts"')).map(([name, context]) => {
    return [checkContextName(name), checkContext(name, context)] as const;
  });
  return {
    version: 1,
    current: textOrNull(current, 'current'),
    previous: textOrNull(previous, 'previous'),
    contexts: Object.fromEntries(named),
  };
}

function checkContext(name: string, value: unknown): NamedContext {
  const fields = asObject(value, `the context "${name}"`);
  for (const [key, field] of Object.entries(fields)) {
    if (!(contextKeys as readonly string[]).includes(key)) fail(`"${name}" has a "${key}"`);
    if (typeof field !== 'string') fail(`"${key}" of "${name}" is no text`);
  }
  return fields as NamedContext;
}

function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  return fail(`${what} is no object`);
}

function textOrNull(value: unknown, key: string): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'string' ? value : fail(`"${key}" is no text`);
}

function fail(why: string): never {
  throw new BackplaneError('CONFIG_INVALID', `is not a list of contexts: ${why}`);
}

function unusable(file: string, why: string, cause: unknown): BackplaneError {
  return new BackplaneError('CONFIG_INVALID', `the file of contexts ${file} ${why}`, {
    cause,
    remedy: 'mend the file, or name another with BACKPLANE_CONTEXTS',
  });
}
