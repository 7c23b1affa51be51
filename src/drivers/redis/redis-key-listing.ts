import type { RedisAddress } from '../../foundation/url.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import type { KeyRow } from '../../ports/tap.ts';
import { RedisKeys } from './keys.ts';
import { RedisConnection } from './redis-connection.ts';
import { roleOfKey } from './redis-key-roles.ts';
import { parseLease } from './redis-leases.ts';
import { RedisReply } from './redis-replies.ts';
import { RedisScripts } from './redis-scripts.ts';

export interface RedisKeyListingParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly prefix?: string;
}

const keysAtOnce = 500;
const fieldsAtOnce = 512;

/**
 * Every key of a cluster, with what it is for and when it goes by itself. Scans, so it is for
 * drills only.
 *
 * What several sessions share is told member by member, so that what a dead one left in it shows:
 * a bucket of the directory has a row for each session that has records there, and a set or hash
 * of sessions has one for each of them. Members that a sweep will remove have the time of it.
 */
export async function* listRedisKeys(
  address: RedisAddress,
  parts: RedisKeyListingParts,
): AsyncGenerator<KeyRow[]> {
  const keys = new RedisKeys(parts.prefix);
  const connection = new RedisConnection({
    ...{ address, prefix: keys.prefix, name: 'backplane-key-listing' },
    ...{ clock: parts.clock, random: parts.random, logger: parts.logger },
  });
  try {
    await connection.open();
    for await (const names of scanKeys(connection, keys)) {
      const rows = await rowsOf(connection, keys, names);
      if (rows.length > 0) yield rows;
    }
    const members = await sessionMembers(connection, keys);
    if (members.length > 0) yield members;
  } finally {
    connection.close();
  }
}

/** Each key once, though a scan may name one twice. */
async function* scanKeys(connection: RedisConnection, keys: RedisKeys): AsyncGenerator<string[]> {
  const reply = new RedisReply('SCAN');
  const seen = new Set<string>();
  let cursor = '0';
  do {
    const args = [cursor, 'MATCH', keys.channelPattern, 'COUNT', keysAtOnce];
    const answer = await connection.call({ verb: 'SCAN', args, writes: false, bulk: true });
    const [next, found] = reply.list(answer);
    const fresh = new Set(reply.list(found).map((key) => reply.text(key)));
    const names = [...fresh].filter((key) => !seen.has(key));
    for (const name of names) seen.add(name);
    for (let at = 0; at < names.length; at += keysAtOnce) yield names.slice(at, at + keysAtOnce);
    cursor = reply.text(next);
  } while (cursor !== '0');
}

async function rowsOf(
  connection: RedisConnection,
  keys: RedisKeys,
  names: readonly string[],
): Promise<KeyRow[]> {
  const rows = names.map(async (key): Promise<KeyRow[]> => {
    const { role, session } = roleOfKey(keys, key);
    if (role === 'lease') return leaseRows(connection, key);
    const isHub = key.startsWith(keys.hubVersions(''));
    if (isHub || key === keys.names) return registryRows(connection, key, isHub);
    const call = { verb: 'PTTL', args: [key], keys: [key], writes: false, bulk: true };
    const leftMs = await connection.call(call);
    // It went between the scan and this.
    if (leftMs === -2) return [];
    const ttlMs = leftMs === -1 ? null : new RedisReply(key).durationMs(leftMs);
    return [{ key, role, session, ttlMs }];
  });
  return (await Promise.all(rows)).flat();
}

/** A row for each session with records in the bucket; it names one of its documents. */
async function leaseRows(connection: RedisConnection, key: string): Promise<KeyRow[]> {
  const reply = new RedisReply(key);
  const docs = new Map<string, Set<string>>();
  for await (const [doc, record] of fieldsOf(connection, key)) {
    const { session } = parseLease(record, reply);
    docs.set(session, (docs.get(session) ?? new Set()).add(doc));
  }
  return [...docs].map(([session, owned]) => {
    const [doc] = owned;
    const more = owned.size > 1 ? ` and ${owned.size - 1} more` : '';
    return { key: `${key} ${JSON.stringify(doc)}${more}`, role: 'lease', session, ttlMs: null };
  });
}

/** What sessions have in a hub, by the field, or which names they hold, by the value. */
async function registryRows(
  connection: RedisConnection,
  key: string,
  isHub: boolean,
): Promise<KeyRow[]> {
  const rows = new Map<string, KeyRow>();
  for await (const [field, value] of fieldsOf(connection, key)) {
    const session = isHub ? field : (/^(\S+) /.exec(value)?.[1] ?? null);
    const name = `${key} ${JSON.stringify(field)}`;
    rows.set(field, { key: name, role: 'session', session, ttlMs: null });
  }
  return [...rows.values()];
}

async function* fieldsOf(
  connection: RedisConnection,
  key: string,
): AsyncGenerator<readonly [field: string, value: string]> {
  const reply = new RedisReply(key);
  let cursor = '0';
  do {
    const args = [key, cursor, 'COUNT', fieldsAtOnce];
    const call = { verb: 'HSCAN', args, keys: [key], writes: false, bulk: true };
    const [next, flat] = reply.list(await connection.call(call));
    const fields = reply.list(flat);
    for (let at = 0; at + 1 < fields.length; at += 2) {
      yield [reply.text(fields[at]), reply.text(fields[at + 1])];
    }
    cursor = reply.text(next);
  } while (cursor !== '0');
}

async function sessionMembers(connection: RedisConnection, keys: RedisKeys): Promise<KeyRow[]> {
  const { expiries, graves, descriptions, vitals, unswept } = keys;
  const reply = new RedisReply(expiries);
  const answer = await new RedisScripts(connection, false).run('list-sessions', {
    keys: [expiries, graves, descriptions, vitals, unswept],
    args: [],
    bulk: true,
  });
  const lists = reply.list(answer).map((list) => reply.list(list).map((one) => reply.text(one)));
  const [expiring = [], buried = [], described = [], vital = [], waiting = []] = lists;
  const leftMs = new Map<string, number>();
  for (let at = 0; at + 1 < buried.length; at += 2) {
    leftMs.set(buried[at] as string, reply.count(buried[at + 1]));
  }
  const row = (key: string, session: string, ttlMs: number | null): KeyRow => {
    return { key: `${key} ${session}`, role: 'session', session, ttlMs };
  };
  return [
    ...expiring.map((id) => row(expiries, id, null)),
    ...[...leftMs].map(([id, ms]) => row(graves, id, ms)),
    ...described.map((id) => row(descriptions, id, leftMs.get(id) ?? null)),
    ...vital.map((id) => row(vitals, id, leftMs.get(id) ?? null)),
    ...waiting.map((id) => row(unswept, id, null)),
  ];
}
