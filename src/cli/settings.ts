import { readFileSync } from 'node:fs';
import { dataFolder } from '../foundation/data-folder.ts';
import { BackplaneError } from '../foundation/errors.ts';
import { checkPrefix } from '../foundation/identifiers.ts';
import { dials } from '../foundation/limits.ts';
import { Secret } from '../foundation/secret.ts';
import { type EngineUrl, parseEngineUrl, parseStoreUrl, type StoreUrl } from '../foundation/url.ts';
import type { OptionValues } from './command-definition.ts';
import {
  contextFile,
  contextNamed,
  type NamedContext,
  readContextBook,
} from './contexts/context-book.ts';
import { resolveSecret } from './contexts/secret-reference.ts';
import {
  type ColorChoice,
  globalOptionList,
  type globalOptions,
  type OutputFormat,
} from './global-options.ts';
import { type Environment, type Origin, resolveOptions } from './option-values.ts';

/** What the global options come to, with the origin of each value. Safe to print. */
export interface Settings {
  readonly engineUrl: EngineUrl;
  /** Null: the engine decides, see PRODUCT.md. */
  readonly storeUrl: StoreUrl | null;
  readonly prefix: string;
  readonly dataDir: string;
  readonly brokerPort: number;
  readonly token: Secret | null;
  /** What nothing printed may contain. */
  readonly secrets: readonly Secret[];
  /** The named cluster that fills in what neither flag nor variable said. */
  readonly contextName: string | null;
  readonly timeoutMs: number;
  readonly output: OutputFormat;
  readonly color: ColorChoice;
  readonly debug: boolean;
  readonly origins: Readonly<Record<SettingName, Origin>>;
}

export type SettingName = keyof typeof globalOptions;

export const settingDefaults = { prefix: 'backplane:', brokerPort: 7_421 } as const;

/**
 * Flag beats environment beats context beats default. With `opensNothing` the secrets of the
 * context are left where they are. Throws USAGE, URL_INVALID, CONFIG_INVALID or CONTEXT_UNKNOWN.
 */
export function resolveSettings(
  flags: Readonly<Record<string, unknown>>,
  environment: Environment,
  home: string,
  opensNothing = false,
): Settings {
  const chosen = chooseContext(flags, environment, home, opensNothing);
  const { values, origins } = resolveOptions(globalOptionList, flags, environment, chosen);
  const given = values as Partial<OptionValues<typeof globalOptions>>;
  const context = opensNothing ? null : (chosen?.values ?? null);
  const password =
    origins.url?.from === 'context' && context?.urlPassword
      ? resolveSecret(context.urlPassword, environment)
      : null;
  const token = readToken(given.tokenFile, environment, context);
  return {
    engineUrl: chooseEngine(
      withPassword(given.url ?? null, password),
      origins.url,
      environment.BACKPLANE_MODE,
    ),
    storeUrl: given.store === undefined ? null : parseStoreUrl(given.store),
    prefix: checkPrefix(given.prefix ?? settingDefaults.prefix),
    dataDir: given.dataDir ?? dataFolder(environment, home),
    brokerPort: given.brokerPort ?? settingDefaults.brokerPort,
    token,
    secrets: [token, password].filter((secret) => secret !== null),
    contextName: chosen?.name ?? null,
    timeoutMs: checkTimeout(given.timeout ?? dials.requestTimeoutMs),
    output: given.output ?? 'table',
    color: given.color ?? 'auto',
    debug: given.debug ?? false,
    origins: origins as Record<SettingName, Origin>,
  };
}

const modes: Readonly<Record<string, readonly string[]>> = {
  single: ['local:'],
  redis: ['redis:', 'rediss:', 'unix:'],
  server: ['http:', 'https:'],
};

/**
 * The engine of the URL. `BACKPLANE_MODE` says which kind is meant, so that a container whose URL is
 * missing or wrong does not quietly begin a cluster of its own. A flag beats it, a context does not.
 */
function chooseEngine(url: string | null, origin: Origin | undefined, mode = ''): EngineUrl {
  if (origin?.from === 'flag' || mode === '') return parseEngineUrl(url);
  const schemes = Object.hasOwn(modes, mode) ? modes[mode] : undefined;
  if (!schemes) {
    throw new BackplaneError('CONFIG_INVALID', `BACKPLANE_MODE is ${JSON.stringify(mode)}`, {
      remedy: 'use single, redis or server',
    });
  }
  const text = url ?? (mode === 'single' ? 'local:' : '');
  if (!schemes.some((scheme) => text.startsWith(scheme))) {
    const where =
      origin?.from === 'context' ? `the URL of the context ${origin.name}` : 'BACKPLANE_URL';
    const what = text === '' ? 'is not set' : 'is another kind of URL';
    throw new BackplaneError('CONFIG_INVALID', `BACKPLANE_MODE is ${mode}, but ${where} ${what}`, {
      remedy: `set BACKPLANE_URL to ${schemes.map((scheme) => (scheme === 'local:' ? scheme : `${scheme}//…`)).join(' or ')}, or unset BACKPLANE_MODE`,
    });
  }
  return parseEngineUrl(text);
}

interface ChosenContext {
  readonly name: string;
  readonly values: NamedContext & Readonly<Record<string, string | undefined>>;
}

/** The context named by flag or variable, else the one in use; null when there is none. */
function chooseContext(
  flags: Readonly<Record<string, unknown>>,
  environment: Environment,
  home: string,
  opensNothing: boolean,
): ChosenContext | null {
  const book = readContextBook(contextFile(environment, home));
  const named = flags.context ?? (environment.BACKPLANE_CONTEXT || null);
  const name = typeof named === 'string' ? named : book.current;
  if (name === null) return null;
  // The one in use may be gone from the file; that must not keep anybody from using another.
  const isMissing = typeof named !== 'string' && !Object.hasOwn(book.contexts, name);
  if (isMissing && opensNothing) return null;
  return { name, values: { ...contextNamed(book, name) } };
}

function withPassword(text: string | null, password: Secret | null): string | null {
  if (text === null || password === null) return text;
  const url = new URL(text);
  url.password = encodeURIComponent(password.reveal());
  return url.toString();
}

function checkTimeout(timeoutMs: number): number {
  if (timeoutMs > 0) return timeoutMs;
  throw new BackplaneError('USAGE', '--timeout: a request needs some time', {
    remedy: 'write a positive duration, as in --timeout 15s',
  });
}

function readToken(
  file: string | undefined,
  environment: Environment,
  context: NamedContext | null,
): Secret | null {
  if (file === undefined) {
    const token = environment.BACKPLANE_TOKEN;
    if (token !== undefined && token !== '') return new Secret(token);
    return context?.token === undefined ? null : resolveSecret(context.token, environment);
  }
  const token = readTokenFile(file).trim();
  if (token !== '') return new Secret(token);
  throw new BackplaneError('CONFIG_INVALID', `the token file ${JSON.stringify(file)} is empty`, {
    remedy: 'write the token into it, readable for you alone',
  });
}

function readTokenFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'an unknown reason';
    throw new BackplaneError(
      'CONFIG_INVALID',
      `the token file ${JSON.stringify(file)} cannot be read: ${why}`,
      { cause, remedy: 'check --token-file' },
    );
  }
}
