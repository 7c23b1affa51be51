import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RedisArgument, RedisCall, RedisConnection } from './redis-connection.ts';
import { isReply } from './redis-errors.ts';

const names = [
  'append-ops',
  'bury-session',
  'check-writable',
  'fence-document',
  'open-session',
  'read-log',
  'read-session',
  'renew-session',
  'save-snapshot',
  'swap-lease',
  'sweep-bucket',
  'take-sweep',
] as const;

export type ScriptName = (typeof names)[number];

/** They change nothing, so losing their answer leaves no doubt. */
const reading: ReadonlySet<ScriptName> = new Set(['read-log', 'read-session']);

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
  readonly #scripts = new Map(names.map((name) => [name, load(name)]));

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async run(name: ScriptName, run: ScriptRun): Promise<unknown> {
    const script = this.#scripts.get(name)!;
    try {
      return await this.#connection.call(callOf(script, 'EVALSHA', script.sha1, run));
    } catch (error) {
      // It was looked up and not found, so nothing ran: this is no second try.
      if (!isUnknownScript(error)) throw error;
      return this.#connection.call(callOf(script, 'EVAL', script.text, run));
    }
  }
}

function callOf(script: Script, verb: string, body: string, run: ScriptRun): RedisCall {
  return {
    ...run,
    verb,
    script,
    writes: !reading.has(script.name),
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
