import { encodeName } from '../../foundation/identifiers.ts';
import { limits } from '../../foundation/limits.ts';
import type {
  ClearStep,
  HoldAnswer,
  HubPage,
  NameClaim,
  NameHolder,
  NamePage,
  Registry,
  RegistryPage,
  RegistryWrite,
  WriteAnswer,
} from '../../ports/registry.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';
import { RedisReply } from './redis-replies.ts';
import type { RedisScripts } from './redis-scripts.ts';

/**
 * Registrations as hashes in the slot of the sessions, so that each script checks that its session
 * is alive in the moment in which it writes.
 */
export class RedisRegistry implements Registry {
  readonly #connection: RedisConnection;
  readonly #scripts: RedisScripts;
  readonly #keys: RedisKeys;

  constructor(connection: RedisConnection, scripts: RedisScripts, keys: RedisKeys) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
  }

  async write({ session, hub, from, version, changes }: RegistryWrite): Promise<WriteAnswer> {
    const keys = this.#keys;
    const reply = new RedisReply(keys.hubVersions(hub));
    const [answer, held] = reply.list(
      await this.#scripts.run('write-registrations', {
        keys: [
          ...[keys.session(session), keys.registrations(session, hub), keys.hubVersions(hub)],
          ...[keys.hubs, keys.hubsOf(session)],
        ],
        args: [
          ...[session, hub, encodeName(hub), from === null ? '' : from, version],
          ...changes.flatMap(({ id, record }) => [id, record ?? '']),
        ],
      }),
    );
    const status = reply.oneOf(answer, 'written', 'conflict', 'dead');
    return status === 'conflict' ? { status, version: reply.count(held) } : { status };
  }

  async versions(hub: string): Promise<ReadonlyMap<string, number>> {
    const key = this.#keys.hubVersions(hub);
    const reply = new RedisReply(key);
    const call = { verb: 'HGETALL', args: [key], keys: [key], writes: false };
    const pairs = pairsOf(reply, await this.#connection.call(call));
    return new Map(pairs.map(([session, version]) => [session, reply.count(version)]));
  }

  async read(session: string, hub: string, from: string | null): Promise<RegistryPage> {
    const key = this.#keys.registrations(session, hub);
    const reply = new RedisReply(key);
    const [version, next, found] = reply.list(
      await this.#scripts.run('read-registrations', {
        keys: [key, this.#keys.hubVersions(hub)],
        args: [session, from ?? '0', limits.registryPageMax],
      }),
    );
    const records = pairsOf(reply, found).map(([id, record]) => ({ id, record }));
    const held = version === null ? 0 : reply.count(version);
    return { version: held, records, next: cursorOf(reply, next) };
  }

  hubs(from: string | null): Promise<HubPage> {
    return this.#hubsIn(this.#keys.hubs, from);
  }

  async hold(claim: NameClaim, how: 'refuse' | 'take'): Promise<HoldAnswer> {
    const { name, session, token, holder } = claim;
    const keys = this.#keys;
    const reply = new RedisReply(keys.names);
    const [answer, record] = reply.list(
      await this.#scripts.run('hold-name', {
        keys: [keys.session(session), keys.names, keys.namesOf(session), keys.expiries],
        args: [name, token, `${session} ${token} ${holder}`, how],
      }),
    );
    const status = reply.oneOf(answer, 'held', 'taken', 'conflict', 'dead');
    if (status === 'held' || status === 'dead') return { status };
    return { status, previous: parseHolder(name, record, reply) };
  }

  async letGo(name: string, session: string, token: string): Promise<boolean> {
    const { names, namesOf } = this.#keys;
    const keys = [names, namesOf(session)];
    const freed = await this.#scripts.run('let-go-name', { keys, args: [name, token] });
    return new RedisReply(names).count(freed) === 1;
  }

  async holder(name: string): Promise<NameHolder | null> {
    return (await this.#readNames(name, null)).names[0] ?? null;
  }

  names(from: string | null): Promise<NamePage> {
    return this.#readNames('', from);
  }

  async #readNames(name: string, from: string | null): Promise<NamePage> {
    const { names, expiries } = this.#keys;
    const reply = new RedisReply(names);
    const [next, found] = reply.list(
      await this.#scripts.run('read-names', {
        keys: [names, expiries],
        args: [name, from ?? '0', limits.registryPageMax],
      }),
    );
    return {
      names: pairsOf(reply, found).map(([held, record]) => parseHolder(held, record, reply)),
      next: cursorOf(reply, next),
    };
  }

  async clear(session: string): Promise<ClearStep> {
    const keys = this.#keys;
    const hubs = await this.#hubsIn(keys.hubsOf(session), null);
    const cleared = await Promise.all(hubs.hubs.map((hub) => this.#clearHub(session, hub)));
    const removed = cleared.reduce((sum, one) => sum + one, 0);
    const reply = new RedisReply(keys.namesOf(session));
    const [freed, done] = reply.list(
      await this.#scripts.run('clear-names', {
        keys: [keys.session(session), keys.namesOf(session), keys.names],
        args: [session, limits.registryPageMax],
      }),
    );
    // Of a session that lives nothing was removed, and asking again would not help.
    const isDone = reply.count(done) === 1 && (hubs.next === null || removed === 0);
    return { removed: removed + reply.count(freed), done: isDone };
  }

  async #clearHub(session: string, hub: string): Promise<number> {
    const keys = this.#keys;
    const removed = await this.#scripts.run('clear-hub', {
      keys: [
        ...[keys.session(session), keys.registrations(session, hub), keys.hubVersions(hub)],
        ...[keys.hubs, keys.hubsOf(session)],
      ],
      args: [session, hub],
    });
    return new RedisReply(keys.hubsOf(session)).count(removed);
  }

  async #hubsIn(key: string, from: string | null): Promise<HubPage> {
    const reply = new RedisReply(key);
    const args = [key, from ?? '0', 'COUNT', limits.registryPageMax];
    const call = { verb: 'HSCAN', args, keys: [key], writes: false };
    const [next, found] = reply.list(await this.#connection.call(call));
    return { hubs: pairsOf(reply, found).map(([hub]) => hub), next: cursorOf(reply, next) };
  }
}

function pairsOf(reply: RedisReply, value: unknown): [string, string][] {
  const flat = reply.list(value);
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    pairs.push([reply.text(flat[at]), reply.text(flat[at + 1])]);
  }
  return pairs;
}

function cursorOf(reply: RedisReply, cursor: unknown): string | null {
  const text = reply.text(cursor);
  return text === '0' ? null : text;
}

const holderPattern = /^(\S+) (\S+) (.*)$/s;

function parseHolder(name: string, record: unknown, reply: RedisReply): NameHolder {
  const [, session, token, holder] = holderPattern.exec(reply.text(record)) ?? [];
  if (session === undefined || token === undefined || holder === undefined) {
    return reply.fail('a session, a token and what the holder says');
  }
  return { name, session, token, holder };
}
