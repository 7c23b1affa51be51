import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RedisArgument, RedisCall, RedisConnection } from './redis-connection.ts';
import { isReply } from './redis-errors.ts';

const names = [
  'append-ops',
  'bury-session',
  'check-writable',
  'clear-hub',
  'clear-names',
  'evict-cache',
  'fence-document',
  'hold-name',
  'join-cache',
  'let-go-name',
  'list-sessions',
  'open-session',
  'read-cache',
  'read-log',
  'read-names',
  'read-registrations',
  'read-session',
  'renew-session',
  'replace-cluster',
  'save-snapshot',
  'swap-lease',
  'sweep-bucket',
  'take-sweep',
  'write-cache',
  'write-registrations',
] as const;

export type ScriptName = (typeof names)[number];

/**
 * They read, and a user who may do no more may run them: Redis checks EVALSHA_RO, but never
 * EVALSHA, against a permission to read.
 */
const reading: ReadonlySet<ScriptName> = new Set([
  'list-sessions',
  'read-cache',
  'read-log',
  'read-names',
  'read-registrations',
  'read-session',
]);
/** They leave nothing behind, so losing their answer leaves no doubt. */
const traceless: ReadonlySet<ScriptName> = new Set([...reading, 'check-writable']);

export interface ScriptRun {
  readonly keys: readonly string[];
  readonly args: readonly RedisArgument[];
  readonly channels?: readonly string[];
  readonly binary?: boolean;
  readonly bulk?: boolean;
}

interface Script {
  readonly name: ScriptName;
  readonly text: string;
  readonly sha1: string;
}

/**
 * The atomic steps, by name. The text is sent only when the server does not know it: it forgets
 * all scripts when it restarts or fails over.
 */
export class RedisScripts {
  readonly #connection: RedisConnection;
  readonly #knowsReadOnly: boolean;
  readonly #scripts = new Map(names.map((name) => [name, load(name)]));

  /** `knowsReadOnly`: the server has EVAL_RO, as Redis has since 7.0. */
  constructor(connection: RedisConnection, knowsReadOnly: boolean) {
    this.#connection = connection;
    this.#knowsReadOnly = knowsReadOnly;
  }

  async run(name: ScriptName, run: ScriptRun): Promise<unknown> {
    const script = this.#scripts.get(name)!;
    const suffix = this.#knowsReadOnly && reading.has(name) ? '_RO' : '';
    try {
      return await this.#connection.call(callOf(script, `EVALSHA${suffix}`, script.sha1, run));
    } catch (error) {
      // It was looked up and not found, so nothing ran: this is no second try.
      if (!isUnknownScript(error)) throw error;
      return this.#connection.call(callOf(script, `EVAL${suffix}`, script.text, run));
    }
  }
}

/** SHA-1 to name: for whoever sees only what goes over the wire. */
export function redisScriptNames(): ReadonlyMap<string, ScriptName> {
  return new Map(names.map((name) => [load(name).sha1, name]));
}

function callOf(script: Script, verb: string, body: string, run: ScriptRun): RedisCall {
  return {
    ...run,
    verb,
    script,
    writes: !traceless.has(script.name),
    args: [body, run.keys.length, ...run.keys, ...run.args],
  };
}

function isUnknownScript(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : null;
  return isReply(cause) && /^NOSCRIPT/.test((cause as Error).message);
}

function load(name: ScriptName): Script {
  const text = readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');
  return { name, text, sha1: createHash('sha1').update(text).digest('hex') };
}
