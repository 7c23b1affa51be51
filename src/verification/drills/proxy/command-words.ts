import { createHash } from 'node:crypto';
import { matchesGlob } from './matches-glob.ts';
import type { CommandChoice, ConnectionRole } from './wire-fault.ts';

/** SHA-1 of a script's text to the name that scenarios have for it. */
export type ScriptNames = ReadonlyMap<string, string>;

const scriptVerbs = new Set([
  ...['EVAL', 'EVALSHA', 'EVAL_RO', 'EVALSHA_RO'],
  ...['FCALL', 'FCALL_RO'],
]);
const subscribing = new Set(['SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE']);
const leaving = new Set(['UNSUBSCRIBE', 'PUNSUBSCRIBE', 'SUNSUBSCRIBE']);
/** What any client says before it says what it is for. */
const greetings = new Set([
  ...['HELLO', 'AUTH', 'CLIENT', 'SELECT', 'INFO', 'PING', 'READONLY', 'COMMAND', 'QUIT'],
]);
/** After these, replies come that nobody asked for, or none. */
const countless = new Set(['MONITOR', 'SYNC', 'PSYNC']);

/** Of a script command `EVALSHA sha 1 key`, of any other `GET key`. */
export function commandWordsWanted(verb: string): number {
  return scriptVerbs.has(verb.toUpperCase()) ? 4 : 2;
}

/** A command by its first words. */
export class CommandWords {
  readonly verb: string;
  /** The first key or channel. */
  readonly key: string | null;
  readonly #subject: string | null;
  readonly #scripts: ScriptNames;

  constructor(words: readonly string[], scripts: ScriptNames) {
    const [verb = '', subject = null, keys = '0', key = null] = words;
    this.verb = verb.toUpperCase();
    this.key = !scriptVerbs.has(this.verb) ? subject : keys === '0' ? null : key;
    this.#subject = subject;
    this.#scripts = scripts;
  }

  get isSubscription(): boolean {
    return subscribing.has(this.verb) || leaving.has(this.verb);
  }

  get isPublish(): boolean {
    return this.verb === 'PUBLISH' || this.verb === 'SPUBLISH';
  }

  /** Whether replies can no longer be counted from here on. */
  get endsCounting(): boolean {
    const { verb } = this;
    return countless.has(verb) || (verb === 'CLIENT' && /^reply$/i.test(this.#subject ?? ''));
  }

  roleAfter(role: ConnectionRole): ConnectionRole {
    if (subscribing.has(this.verb)) return 'subscriber';
    return role === 'new' && !greetings.has(this.verb) ? 'command' : role;
  }

  /** A greeting must be named to be meant: without it there is no connection to do anything to. */
  isMeantBy(choice: CommandChoice): boolean {
    const wanted = choice.command.toUpperCase();
    if (greetings.has(this.verb) && wanted !== this.verb) return false;
    if (choice.key !== '*' && (this.key === null || !matchesGlob(choice.key, this.key))) {
      return false;
    }
    if (matchesGlob(wanted, this.verb)) return true;
    const script = this.#scriptName();
    return script !== null && matchesGlob(wanted, script.toUpperCase());
  }

  #scriptName(): string | null {
    if (!scriptVerbs.has(this.verb) || this.#subject === null) return null;
    if (this.verb.startsWith('FCALL')) return this.#subject;
    const sha1 = this.verb.startsWith('EVALSHA')
      ? this.#subject.toLowerCase()
      : createHash('sha1').update(this.#subject).digest('hex');
    return this.#scripts.get(sha1) ?? null;
  }
}
