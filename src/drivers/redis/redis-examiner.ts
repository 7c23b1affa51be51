import { asBackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import type { RedisAddress } from '../../foundation/url.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type {
  BrokerClient,
  BrokerExamination,
  BrokerSettings,
  ForeignKeys,
  SlowCommand,
  Unread,
  UserRights,
} from '../../ports/examination.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import { RedisKeys } from './keys.ts';
import { RedisConnection } from './redis-connection.ts';
import {
  clientRows,
  infoFields,
  pairsOf,
  settingsOf,
  slowCommands,
  stateOf,
} from './redis-facts.ts';
import { roleOfKey } from './redis-key-roles.ts';
import { RedisReply } from './redis-replies.ts';
import { deniedRights } from './redis-rights.ts';

export interface RedisExaminerParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly prefix?: string;
}

const pings = 5;
const growthMs = 250;
/** Below this nobody is slow. */
const waitingBytesWorthALook = 65_536;
const keysScannedMax = 20_000;
const keysAtOnce = 1_000;
const namesKept = 20;
const slowKept = 20;

/**
 * Reads all there is to know about a Redis, one part after the other, and goes on when a part may
 * not be read. Sends nothing that writes. Throws what connecting throws.
 */
export async function examineRedis(
  address: RedisAddress,
  parts: RedisExaminerParts,
): Promise<BrokerExamination> {
  const keys = new RedisKeys(parts.prefix);
  const connection = new RedisConnection({
    ...{ address, prefix: keys.prefix, name: 'backplane-examiner' },
    ...{ clock: parts.clock, random: parts.random, logger: parts.logger },
  });
  try {
    await connection.open();
    return await new RedisExaminer(address, connection, keys, parts.clock).examine();
  } finally {
    connection.close();
  }
}

class RedisExaminer {
  readonly #address: RedisAddress;
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #clock: Clock;
  readonly #unread: Unread[] = [];

  constructor(address: RedisAddress, connection: RedisConnection, keys: RedisKeys, clock: Clock) {
    this.#address = address;
    this.#connection = connection;
    this.#keys = keys;
    this.#clock = clock;
  }

  async examine(): Promise<BrokerExamination> {
    const { host, port, path, tls, db, username, password } = this.#address;
    const hello = (await this.#try('HELLO', async () => pairsOf(await this.#ask('HELLO')))) ?? {};
    const info = (await this.#try('INFO', async () => infoFields(await this.#ask('INFO')))) ?? {};
    const settings = await this.#settings();
    const clients = await this.#clients();
    const user = username ?? 'default';
    const clockAheadMs = await this.#clockAhead();
    return {
      where: { host, port, path, tls, db, username, hasPassword: password !== null },
      user,
      software: info.valkey_version ? 'valkey' : (hello.server ?? 'redis'),
      version: info.valkey_version ?? hello.version ?? info.redis_version ?? 'unknown',
      mode: hello.mode ?? info.redis_mode ?? 'standalone',
      roundTripMs: await this.#roundTrip(),
      clockAheadMs,
      prefix: this.#keys.prefix,
      state: info.role === undefined ? null : stateOf(info),
      settings,
      clients,
      openToAll: await this.#openToAll(),
      rights: await this.#rights(user, clients),
      keys: await this.#foreignKeys(),
      slow: await this.#slow(clockAheadMs ?? 0),
      unread: this.#unread,
    };
  }

  async #roundTrip(): Promise<number> {
    const took: number[] = [];
    for (let sent = 0; sent < pings; sent++) {
      const startedMs = this.#clock.monotonicMs();
      await this.#try('PING', () => this.#ask('PING'));
      took.push(this.#clock.monotonicMs() - startedMs);
    }
    const median = took.sort((a, b) => a - b)[Math.floor(pings / 2)] ?? 0;
    return Math.round(median * 100) / 100;
  }

  async #clockAhead(): Promise<number | null> {
    const beforeMs = this.#clock.wallMs();
    const reply = new RedisReply('TIME');
    const time = await this.#try('TIME', async () => reply.list(await this.#ask('TIME')));
    if (time === null) return null;
    const serverMs = reply.count(time[0]) * 1_000 + reply.count(time[1]) / 1_000;
    return Math.round(serverMs - (beforeMs + this.#clock.wallMs()) / 2);
  }

  #settings(): Promise<BrokerSettings | null> {
    return this.#try('CONFIG GET', async () => {
      // One by one: older servers take only one pattern.
      const wanted = [
        ...['maxmemory', 'maxmemory-policy', 'appendonly', 'appendfsync', 'save', 'bind'],
        ...['min-replicas-to-write', 'client-output-buffer-limit', 'protected-mode', 'timeout'],
      ];
      const found = await Promise.all(wanted.map((name) => this.#ask('CONFIG', 'GET', name)));
      return settingsOf(Object.assign({}, ...found.map(pairsOf)));
    });
  }

  /** Twice when somebody is behind: how fast it falls behind says when it will be cut. */
  #clients(): Promise<BrokerClient[] | null> {
    return this.#try('CLIENT LIST', async () => {
      const first = clientRows(await this.#ask('CLIENT', 'LIST'));
      if (!first.some(({ waitingBytes }) => waitingBytes > waitingBytesWorthALook)) return first;
      const sinceMs = this.#clock.monotonicMs();
      await sleep(this.#clock, growthMs);
      const before = new Map(first.map(({ id, waitingBytes }) => [id, waitingBytes]));
      const rows = clientRows(await this.#ask('CLIENT', 'LIST'));
      const tookMs = this.#clock.monotonicMs() - sinceMs;
      return rows.map((row) => {
        const grown = row.waitingBytes - (before.get(row.id) ?? row.waitingBytes);
        return { ...row, growthPerSecond: Math.round((grown * 1_000) / tookMs) };
      });
    });
  }

  #slow(clockAheadMs: number): Promise<SlowCommand[] | null> {
    return this.#try('SLOWLOG GET', async () => {
      const reply = await this.#ask('SLOWLOG', 'GET', slowKept);
      return slowCommands(reply, this.#clock.wallMs() + clockAheadMs);
    });
  }

  #openToAll(): Promise<boolean | null> {
    return this.#try('ACL GETUSER', async () => {
      const flags = pairsOf(await this.#ask('ACL', 'GETUSER', 'default')).flags ?? '';
      const words = flags.split(' ');
      return words.includes('nopass') && words.includes('on');
    });
  }

  #rights(user: string, clients: readonly BrokerClient[] | null): Promise<UserRights[] | null> {
    return this.#try('ACL DRYRUN', async () => {
      const subscribers = (clients ?? []).filter(({ name }) => name === 'backplane-subscriber');
      const ofNodes = new Set(subscribers.map((client) => client.user));
      const users = [...new Set([user, ...ofNodes])];
      return Promise.all(
        users.map(async (each) => ({
          user: each,
          isOfNodes: ofNodes.has(each),
          denied: await deniedRights(this.#connection, this.#keys, each),
        })),
      );
    });
  }

  #foreignKeys(): Promise<ForeignKeys | null> {
    return this.#try('foreign keys', async () => {
      const reply = new RedisReply('SCAN');
      const [ours, others] = [new Set<string>(), new Set<string>()];
      let scanned = 0;
      let cursor = '0';
      do {
        const [next, found] = reply.list(await this.#ask('SCAN', cursor, 'COUNT', keysAtOnce));
        const names = reply.list(found).map((name) => reply.text(name));
        scanned += names.length;
        for (const name of names) {
          const other = /^(.*)\{s\}:cluster$/s.exec(name)?.[1];
          if (other !== undefined && other !== this.#keys.prefix) others.add(other);
          if (isForeign(this.#keys, name) && ours.size < namesKept) ours.add(name);
        }
        cursor = reply.text(next);
      } while (cursor !== '0' && scanned < keysScannedMax);
      return {
        underOurPrefix: [...ours],
        otherClusters: [...others].slice(0, namesKept),
        scanned,
        truncated: cursor !== '0',
      };
    });
  }

  #ask(verb: string, ...args: (string | number)[]): Promise<unknown> {
    return this.#connection.call({ verb, args, writes: false, bulk: true });
  }

  /** Null when it may not be asked, or the server does not know it; the reason is kept. */
  async #try<Found>(what: string, read: () => Promise<Found>): Promise<Found | null> {
    try {
      return await read();
    } catch (error) {
      const refused = [
        'PERMISSION_DENIED',
        'SERVER_UNSUPPORTED',
        'INTERNAL',
        'FRAME_INVALID',
      ] as const;
      if (!isBackplaneError(error, ...refused)) throw error;
      const { code, remedy } = asBackplaneError(error);
      this.#unread.push({ what, remedy: code === 'PERMISSION_DENIED' ? remedy : null });
      return null;
    }
  }
}

/** With our prefix, and none of ours; a longer prefix of another cluster is not foreign. */
function isForeign(keys: RedisKeys, name: string): boolean {
  if (!name.startsWith(keys.prefix) || roleOfKey(keys, name).role !== 'other') return false;
  const rest = name.slice(keys.prefix.length);
  return !/^[A-Za-z0-9_.:~-]*(?:\{s\}:|leases:\{l|doc:\{|documents$|cache:\{c-|cache-regions$)/.test(
    rest,
  );
}
