import { BackplaneError, type ErrorCode, type ErrorDetails } from '../../foundation/errors.ts';

/** What was asked of Redis, so that a refusal can be explained. */
export interface RedisAttempt {
  /** The command, or the name of the script. */
  readonly verb: string;
  readonly keys: readonly string[];
  readonly channels: readonly string[];
  readonly writes: boolean;
  /** The script's text, when it was one. */
  readonly script: string | null;
}

/** Who asked, and where. */
export interface RedisCaller {
  readonly where: string;
  readonly user: string;
  readonly prefix: string;
}

/**
 * A failure as ioredis reports it, as ours. The original is kept as `cause` without its
 * `command.args`: they hold passwords and payloads, and every inspection would print them.
 */
export function redisFailure(
  thrown: unknown,
  attempt: RedisAttempt,
  caller: RedisCaller,
): BackplaneError {
  if (thrown instanceof BackplaneError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const fail = (code: ErrorCode, message: string, details: ErrorDetails = {}) =>
    new BackplaneError(code, message, { cause: withoutArguments(error), ...details });
  if (!isReply(error)) return connectionFailure(error, attempt, caller, fail);
  if (isForbidden(error.message)) return forbidden(error.message, attempt, caller, fail);
  const word = replyCode(error.message);
  const known = refusals[word];
  if (known) {
    const [code, message, remedy] = known;
    return fail(code, `Redis at ${caller.where} ${message}`, { certainty: 'definite', remedy });
  }
  if (/unknown (sub)?command/i.test(error.message)) {
    return fail(
      'SERVER_UNSUPPORTED',
      `the server at ${caller.where} does not know ${attempt.verb}`,
      { certainty: 'definite' },
    );
  }
  if (/DB index is out of range/.test(error.message)) {
    return fail('URL_INVALID', `Redis at ${caller.where} has no database of this number`);
  }
  const subject = named([...attempt.keys, ...attempt.channels]);
  if (word === 'WRONGTYPE') {
    return fail('FRAME_INVALID', `a key has another type than ours: ${subject}`);
  }
  const shown = printable(error.message);
  return fail('INTERNAL', `Redis refused ${attempt.verb} (${subject}): ${shown}`);
}

/** True when the server answered, though with an error: the connection itself works. */
export function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

type Fail = (code: ErrorCode, message: string, details?: ErrorDetails) => BackplaneError;

/** Refusals by their first word: code, what happened, what to do. None of them did anything. */
const refusals: Readonly<Record<string, readonly [ErrorCode, string, string]>> = {
  WRONGPASS: ['AUTH_FAILED', 'refused the user name or password', checkUrl()],
  NOAUTH: ['AUTH_FAILED', 'wants a password', checkUrl()],
  OOM: ['STORE_FULL', 'has reached its maxmemory', 'raise maxmemory, or make room'],
  MISCONF: [
    'STORE_UNAVAILABLE',
    'cannot save to its disk, so it takes no writes',
    'see the log and the disk of Redis',
  ],
  NOREPLICAS: [
    'STORE_UNAVAILABLE',
    'has too few replicas, so it takes no writes',
    'see INFO replication and min-replicas-to-write',
  ],
  READONLY: ['BACKPLANE_UNREACHABLE', 'is a replica', 'use the URL of the primary'],
  LOADING: ['BACKPLANE_UNREACHABLE', 'is still loading its data', 'wait, then try again'],
  MASTERDOWN: ['BACKPLANE_UNREACHABLE', 'is a replica cut from its primary', 'use the primary'],
  BUSY: ['BACKPLANE_UNREACHABLE', 'is busy with a script', 'see SLOWLOG GET; SCRIPT KILL ends it'],
  MOVED: ['SERVER_UNSUPPORTED', 'is part of a Redis Cluster', 'use a standalone server'],
  CROSSSLOT: ['SERVER_UNSUPPORTED', 'is part of a Redis Cluster', 'use a standalone server'],
  CLUSTERDOWN: ['SERVER_UNSUPPORTED', 'is part of a Redis Cluster', 'use a standalone server'],
};

function checkUrl(): string {
  return 'check the user and password of --url or BACKPLANE_URL';
}

/** `ERR Error running script …: @user_script:3: -OOM …` is how Redis 6.2 reports from a script. */
function replyCode(message: string): string {
  const inScript = /@user_script: ?\d+: -?([A-Z]{2,})\b/.exec(message)?.[1];
  if (inScript) return inScript;
  return /^-?([A-Z]+)\b/.exec(message)?.[1] ?? '';
}

function isForbidden(message: string): boolean {
  return /^NOPERM\b|-NOPERM\b|The user executing the script can't/.test(message);
}

function forbidden(
  message: string,
  attempt: RedisAttempt,
  caller: RedisCaller,
  fail: Fail,
): BackplaneError {
  const verb = deniedVerb(message, attempt);
  const who = `the user "${caller.user}" of ${caller.where}`;
  const deny = (what: string, rule: string) =>
    fail('PERMISSION_DENIED', `${who} may not run ${what}`, {
      // What a script wrote before it came to the forbidden command stays written.
      certainty: attempt.writes && hasWrittenBefore(message, attempt) ? 'indefinite' : 'definite',
      remedy: `ACL SETUSER ${caller.user} ${rule}`,
      facts: { user: caller.user, verb, rule },
    });
  if (/(of|to) the channel/.test(message)) {
    return deny(`${verb} on the channel ${named(attempt.channels)}`, `&${caller.prefix}*`);
  }
  if (/of the keys/.test(message)) {
    return deny(`${verb} on the key ${named(attempt.keys)}`, `~${caller.prefix}*`);
  }
  const isOfChannels = /^(PUBLISH|SUBSCRIBE|PUBSUB)/.test(verb) && attempt.channels.length > 0;
  const where = isOfChannels ? ` on the channel ${named(attempt.channels)}` : '';
  return deny(verb + where, `+${verb.toLowerCase().replace(' ', '|')}`);
}

/** Within a script Redis tells the line that was refused, but not the command on it. */
function deniedVerb(message: string, attempt: RedisAttempt): string {
  const named = /run the '([^']+)' command/.exec(message)?.[1];
  if (named) return named.replace('|', ' ').toUpperCase();
  const text = linesUpTo(message, attempt)?.at(-1);
  const verb = text && /redis\.p?call\('([A-Z]+)'/.exec(text)?.[1];
  return verb || attempt.verb;
}

/** Whether a script may have changed something before the line where it was refused. */
function hasWrittenBefore(message: string, attempt: RedisAttempt): boolean {
  const lines = linesUpTo(message, attempt)?.slice(0, -1) ?? [];
  return lines.some((line) => {
    const verb = /redis\.p?call\('([A-Z]+)'/.exec(line)?.[1];
    return verb !== undefined && !readingVerbs.test(verb) && !harmlessLine.test(line);
  });
}

/** After a return nothing more is done. */
const harmlessLine = /\breturn\b|-- changes nothing$/;
const readingVerbs =
  /^(EXISTS|GET|HM?GET|HGETALL|HSCAN|PTTL|TIME|XRANGE|ZRANGE|ZRANGEBYSCORE|ZSCORE)$/;

/** The lines of a script up to the one that was refused; null when it was no script. */
function linesUpTo(message: string, attempt: RedisAttempt): string[] | null {
  const line = /@user_script: ?(\d+)/.exec(message)?.[1];
  return line && attempt.script ? attempt.script.split('\n').slice(0, Number(line)) : null;
}

function named(things: readonly string[]): string {
  return things.slice(0, 3).join(', ') || 'unnamed';
}

function connectionFailure(
  error: Error,
  attempt: RedisAttempt,
  caller: RedisCaller,
  fail: Fail,
): BackplaneError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  if (/Stream isn't writeable/.test(error.message)) {
    return fail('BACKPLANE_UNREACHABLE', `no connection to Redis at ${caller.where}`);
  }
  if (attempt.verb === 'connect') {
    const reason = printable(code ?? error.message);
    const tls = code !== null && /CERT|TLS|SSL|EPROTO|SIGN/.test(code);
    return fail('BACKPLANE_UNREACHABLE', `cannot connect to Redis at ${caller.where}: ${reason}`, {
      ...(tls && { remedy: 'trust the certificate with NODE_EXTRA_CA_CERTS=FILE' }),
    });
  }
  return fail(
    'BACKPLANE_LOST',
    `the connection to Redis at ${caller.where} broke during ${attempt.verb}`,
    lostDetails(attempt.writes),
  );
}

/** What a lost answer leaves behind: a doubt after a change, nothing after a look. */
export function lostDetails(writes: boolean): ErrorDetails {
  if (writes) return { certainty: 'indefinite' };
  return { certainty: 'definite', remedy: 'check the server, then run it again' };
}

/** An unknown command's message repeats its arguments. */
function printable(message: string): string {
  return message.replace(/, with args.*/s, '').slice(0, 200);
}

function withoutArguments(error: Error): Error {
  const copy = new Error(printable(error.message));
  copy.name = error.name;
  if ('code' in error) Object.assign(copy, { code: error.code });
  return copy;
}
