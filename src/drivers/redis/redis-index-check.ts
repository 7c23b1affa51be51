import { decodeName } from '../../foundation/identifiers.ts';
import type { IndexFault } from '../../ports/inspector.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';
import { RedisReply } from './redis-replies.ts';

const keysAtOnce = 1_000;
const namesAtOnce = 5_000;
const faultsMax = 1_000;

/**
 * Compares the lists of sessions and documents with their keys, in both directions. Scans every
 * key of the server, so it is for `fsck` alone. Writes nothing.
 */
export async function checkRedisIndexes(
  connection: RedisConnection,
  keys: RedisKeys,
): Promise<IndexFault[]> {
  const ask = (verb: string, ...args: (string | number)[]) =>
    connection.call({ verb, args, writes: false, bulk: true });
  const found = await scanKeys(ask, keys);
  const sessions = await sessionFaults(ask, keys, found);
  const documents = await documentFaults(ask, keys, found);
  return [...sessions, ...documents].slice(0, faultsMax);
}

type Ask = (verb: string, ...args: (string | number)[]) => Promise<unknown>;

interface FoundKeys {
  readonly sessions: ReadonlySet<string>;
  readonly heads: ReadonlySet<string>;
  readonly logs: ReadonlySet<string>;
}

async function scanKeys(ask: Ask, keys: RedisKeys): Promise<FoundKeys> {
  const reply = new RedisReply('SCAN');
  const [sessions, heads, logs] = [new Set<string>(), new Set<string>(), new Set<string>()];
  let cursor = '0';
  do {
    const answer = await ask('SCAN', cursor, 'MATCH', keys.channelPattern, 'COUNT', keysAtOnce);
    const [next, names] = reply.list(answer);
    for (const name of reply.list(names).map((each) => reply.text(each))) {
      const rest = name.slice(keys.prefix.length);
      const session = /^\{s\}:sess:(.+)$/s.exec(rest)?.[1];
      const [, doc, part] = /^doc:\{([^}]+)\}:(head|log|snapshot)$/.exec(rest) ?? [];
      add(sessions, session);
      add(part === 'head' ? heads : logs, doc);
    }
    cursor = reply.text(next);
  } while (cursor !== '0');
  return { sessions, heads, logs };
}

/** A name that nobody of ours wrote is none. */
function add(names: Set<string>, encoded: string | undefined): void {
  const name = encoded === undefined ? null : decodeName(encoded);
  if (name !== null) names.add(name);
}

async function sessionFaults(ask: Ask, keys: RedisKeys, found: FoundKeys): Promise<IndexFault[]> {
  const { expiries, graves, descriptions, vitals } = keys;
  const living = await scoresOf(ask, expiries);
  const dead = await scoresOf(ask, graves);
  const time = new RedisReply('TIME');
  const serverMs = time.count(time.list(await ask('TIME'))[0]) * 1_000;
  const described = await fieldsOf(ask, descriptions);
  const vital = await fieldsOf(ask, vitals);
  const faults: IndexFault[] = [];
  for (const name of found.sessions) {
    if (living.has(name)) continue;
    const seen = 'its key is there, and it is not among the sessions';
    faults.push({ kind: 'session-unlisted', name, seen, mend: [['DEL', keys.session(name)]] });
  }
  for (const [name, expiresMs] of living) {
    // One that ran out is buried by the next sweep.
    if (found.sessions.has(name) || expiresMs < serverMs) continue;
    const seen = 'it is among the sessions until later, and its key is gone';
    // With a description it is buried when its time is over; without, no listing can be read.
    const mend = described.has(name) && vital.has(name) ? [] : [['ZREM', expiries, name]];
    faults.push({ kind: 'session-gone', name, seen, mend });
  }
  for (const [hash, names] of [
    [descriptions, described],
    [vitals, vital],
  ] as const) {
    for (const name of names) {
      if (living.has(name) || dead.has(name)) continue;
      const seen = `${hash} has a field for it, and it is neither among the living nor the dead`;
      faults.push({ kind: 'session-left', name, seen, mend: [['HDEL', hash, name]] });
    }
  }
  return faults;
}

async function documentFaults(ask: Ask, keys: RedisKeys, found: FoundKeys): Promise<IndexFault[]> {
  const listed = await membersOf(ask, keys.documents);
  const faults: IndexFault[] = [];
  for (const name of found.heads) {
    if (listed.has(name)) continue;
    const seen = 'it has a head, and is not among the documents';
    const mend = [['ZADD', keys.documents, 'NX', '0', name]];
    faults.push({ kind: 'document-unlisted', name, seen, mend });
  }
  for (const name of found.logs) {
    // Listed without anything is one that was never fenced in the end, which harms nobody.
    if (found.heads.has(name)) continue;
    const seen = 'it has ops or a snapshot, and its head is gone: restore the store from a back-up';
    faults.push({ kind: 'document-gone', name, seen, mend: [] });
  }
  return faults;
}

async function scoresOf(ask: Ask, key: string): Promise<Map<string, number>> {
  const reply = new RedisReply(key);
  const flat = reply.list(await ask('ZRANGE', key, 0, -1, 'WITHSCORES')).flat();
  const scores = new Map<string, number>();
  for (let at = 0; at + 1 < flat.length; at += 2) {
    scores.set(reply.text(flat[at]), Number(reply.text(flat[at + 1])));
  }
  return scores;
}

async function membersOf(ask: Ask, key: string): Promise<Set<string>> {
  const reply = new RedisReply(key);
  const members = new Set<string>();
  for (let from = 0; ; from += namesAtOnce) {
    const page = reply.list(await ask('ZRANGE', key, from, from + namesAtOnce - 1));
    for (const member of page) members.add(reply.text(member));
    if (page.length < namesAtOnce) return members;
  }
}

/** A scan may name a field twice. */
async function fieldsOf(ask: Ask, key: string): Promise<Set<string>> {
  const reply = new RedisReply(key);
  const fields = new Set<string>();
  let cursor = '0';
  do {
    const [next, flat] = reply.list(await ask('HSCAN', key, cursor, 'COUNT', keysAtOnce));
    reply.list(flat).forEach((one, at) => {
      if (at % 2 === 0) fields.add(reply.text(one));
    });
    cursor = reply.text(next);
  } while (cursor !== '0');
  return fields;
}
