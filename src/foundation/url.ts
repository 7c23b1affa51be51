import { BackplaneError } from './errors.ts';
import { Secret } from './secret.ts';

export type EngineKind = 'local' | 'redis' | 'embedded';
export type StoreKind = 'memory' | 'sqlite' | 'redis';

/** Where a Redis listens, with its secrets out of sight. */
export interface RedisAddress {
  readonly host: string | null;
  readonly port: number;
  readonly path: string | null;
  readonly tls: boolean;
  readonly username: string | null;
  readonly password: Secret | null;
  readonly db: number;
}

export type EngineUrl =
  | { readonly kind: 'embedded'; readonly text: string }
  | { readonly kind: 'local'; readonly text: string }
  | { readonly kind: 'redis'; readonly text: string; readonly address: RedisAddress };

export type StoreUrl =
  | { readonly kind: 'memory'; readonly text: string }
  | { readonly kind: 'sqlite'; readonly text: string; readonly path: string }
  | { readonly kind: 'redis'; readonly text: string };

const laterSchemes = ['redis+sentinel:', 'redis+cluster:', 'nats:', 'http:', 'https:'];

/** Chooses the engine by the scheme; `text` is safe to print. Throws URL_INVALID. */
export function parseEngineUrl(text: string | null): EngineUrl {
  if (text === null || text === '') return { kind: 'embedded', text: 'embedded' };
  if (text === 'local:') return { kind: 'local', text };
  const url = parse(text, '--url');
  if (url.protocol === 'unix:') return { kind: 'redis', text: printable(url), address: unix(url) };
  if (url.protocol === 'redis:' || url.protocol === 'rediss:') {
    return { kind: 'redis', text: printable(url), address: redis(url) };
  }
  const known = laterSchemes.includes(url.protocol);
  throw new BackplaneError(
    'URL_INVALID',
    known
      ? `this version has no engine for "${url.protocol}//" yet`
      : `no engine has the scheme "${url.protocol}" of ${printable(url)}`,
  );
}

/** Chooses the op log by the scheme. Throws URL_INVALID. */
export function parseStoreUrl(text: string): StoreUrl {
  if (text === 'memory:') return { kind: 'memory', text };
  if (text === 'redis:') return { kind: 'redis', text };
  if (text.startsWith('sqlite:') && text.length > 'sqlite:'.length) {
    return { kind: 'sqlite', text, path: text.slice('sqlite:'.length) };
  }
  const scheme = /^[a-z+]+:/i.exec(text)?.[0];
  throw new BackplaneError(
    'URL_INVALID',
    `no store has the ${scheme ? `scheme "${scheme}"` : 'form'} given with --store`,
    {
      remedy: 'use memory:, sqlite:PATH or redis:',
    },
  );
}

function parse(text: string, flag: string): URL {
  try {
    return new URL(text);
  } catch {
    // The text may hold a password, so it is not repeated.
    throw new BackplaneError('URL_INVALID', `the value of ${flag} is not a URL`);
  }
}

function redis(url: URL): RedisAddress {
  const db = url.pathname.length > 1 ? Number(url.pathname.slice(1)) : 0;
  if (!Number.isInteger(db) || db < 0 || db > 65_535) {
    throw new BackplaneError('URL_INVALID', `"${url.pathname.slice(1)}" is not a database number`);
  }
  if (url.hostname === '') throw new BackplaneError('URL_INVALID', 'the URL names no host');
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    path: null,
    tls: url.protocol === 'rediss:',
    username: url.username === '' ? null : decoded(url.username),
    password: url.password === '' ? null : new Secret(decoded(url.password)),
    db,
  };
}

function unix(url: URL): RedisAddress {
  if (url.pathname === '') throw new BackplaneError('URL_INVALID', 'unix: needs a path');
  return {
    host: null,
    port: 0,
    path: decoded(url.pathname),
    tls: false,
    username: null,
    password: null,
    db: 0,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The text may be a password, so it is not repeated.
    throw new BackplaneError('URL_INVALID', 'the URL has a % that is not followed by two digits', {
      remedy: 'write a % itself as %25',
    });
  }
}

function printable(url: URL): string {
  const copy = new URL(url);
  if (copy.password !== '') copy.password = '***';
  // A bare token is often put in the place of the user name.
  else if (copy.username !== '') copy.username = '***';
  copy.search = '';
  return copy.toString();
}
