import { cacheLimits } from '../../foundation/limits.ts';
import type {
  CacheEviction,
  CacheEvictionAnswer,
  CacheLook,
  CacheRead,
  CacheRecords,
  CacheStamp,
  CacheWrite,
} from '../../ports/cache-records.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';
import { RedisReply } from './redis-replies.ts';
import type { RedisScripts } from './redis-scripts.ts';

/**
 * A stamp for each region, and shared values as keys of their own that expire. An eviction removes
 * the value of its key; one of a prefix or a region is a mark that older values are measured by.
 */
export class RedisCacheRecords implements CacheRecords {
  readonly #connection: RedisConnection;
  readonly #scripts: RedisScripts;
  readonly #keys: RedisKeys;

  constructor(connection: RedisConnection, scripts: RedisScripts, keys: RedisKeys) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
  }

  async join(region: string, token: string, shares: boolean): Promise<CacheStamp> {
    const key = this.#keys.cacheStamp(region);
    const args = [token, shares ? '1' : '0', cacheLimits.regionMsMax];
    // In another slot, and for listings only.
    const noted = this.#note(region);
    const [found] = await Promise.all([
      this.#scripts.run('join-cache', { keys: [key], args }),
      noted,
    ]);
    return this.#stamp(key, found) ?? new RedisReply(key).fail('a stamp');
  }

  async evict(eviction: CacheEviction): Promise<CacheEvictionAnswer> {
    const { region, scope, token, seen, channel, announcement } = eviction;
    const key = scope.kind === 'key' ? scope.key : '';
    const name = this.#keys.channel(channel);
    const answer = await this.#scripts.run('evict-cache', {
      keys: this.#keysOf(region, key),
      channels: [name],
      args: [
        ...[scope.kind, scope.kind === 'prefix' ? scope.prefix : '', token],
        ...(seen ? [seen.count, seen.token] : ['', '']),
        ...[cacheLimits.regionMsMax, cacheLimits.loadMsMax, cacheLimits.prefixesMax, name],
        Buffer.from(announcement.buffer, announcement.byteOffset, announcement.byteLength),
      ],
    });
    const reply = new RedisReply(this.#keys.cacheStamp(region));
    const [status, count, receivers] = reply.list(answer);
    if (reply.oneOf(status, 'evicted', 'changed') === 'changed') return { status: 'changed' };
    const stamp = { count: reply.count(count), token };
    return { status: 'evicted', stamp, receivers: reply.count(receivers) };
  }

  async look(regions: readonly string[]): Promise<CacheLook> {
    // In one go over one connection, so all are of one server.
    const [process, history, ...stamps] = await Promise.all([
      this.#info('server', 'run_id'),
      this.#info('replication', 'master_replid'),
      ...regions.map((region) => this.#readStamp(region)),
    ]);
    return { broker: `${process}/${history}`, stamps };
  }

  async read(region: string, key: string): Promise<CacheRead> {
    const [stamp, prefixes, value] = this.#keysOf(region, key) as [string, string, string];
    const keys = [stamp, prefixes, value];
    const answer = await this.#scripts.run('read-cache', { keys, args: [key], binary: true });
    const reply = new RedisReply(value);
    const [birth, count, atMs, held] = reply.list(answer);
    return {
      value: held === null ? null : reply.bytes(held),
      mark: { birth: reply.text(birth), count: reply.count(count), atMs: reply.count(atMs) },
    };
  }

  async write({ region, key, value, ttlMs, mark }: CacheWrite): Promise<'written' | 'refused'> {
    const keys = this.#keysOf(region, key);
    const { birth, count, atMs } = mark;
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    const args = [key, bytes, Math.ceil(ttlMs), birth, count, atMs, cacheLimits.loadMsMax];
    const answer = await this.#scripts.run('write-cache', { keys, args });
    return new RedisReply(keys[2] as string).count(answer) === 1 ? 'written' : 'refused';
  }

  async regions(): Promise<string[]> {
    const key = this.#keys.cacheRegions;
    const call = { verb: 'HGETALL', args: [key], keys: [key], writes: false };
    const reply = new RedisReply(key);
    const answer = await this.#connection.call(call);
    return flatKeys(answer, reply).slice(0, cacheLimits.regionsListedMax);
  }

  async #note(region: string): Promise<void> {
    const key = this.#keys.cacheRegions;
    const args = [key, region, '1'];
    await this.#connection.call({ verb: 'HSET', args, keys: [key], writes: true });
    const kept = [key, cacheLimits.regionMsMax];
    await this.#connection.call({ verb: 'PEXPIRE', args: kept, keys: [key], writes: true });
  }

  async #readStamp(region: string): Promise<CacheStamp | null> {
    const key = this.#keys.cacheStamp(region);
    const args = [key, 'count', 'token'];
    return this.#stamp(
      key,
      await this.#connection.call({ verb: 'HMGET', args, keys: [key], writes: false }),
    );
  }

  #stamp(key: string, answer: unknown): CacheStamp | null {
    const reply = new RedisReply(key);
    const [count, token] = reply.list(answer);
    if (count === null) return null;
    return { count: reply.count(count), token: reply.text(token) };
  }

  async #info(section: string, field: string): Promise<string> {
    const call = { verb: 'INFO', args: [section], writes: false };
    const reply = new RedisReply(`INFO ${section}`);
    const text = reply.text(await this.#connection.call(call));
    const line = text.split('\n').find((one) => one.startsWith(`${field}:`));
    return line?.slice(field.length + 1).trim() ?? reply.fail(`a field ${field}`);
  }

  #keysOf(region: string, key: string): string[] {
    const { cacheStamp, cachePrefixes, cacheValue, cacheEvicted } = this.#keys;
    return [
      ...[cacheStamp(region), cachePrefixes(region)],
      ...[cacheValue(region, key), cacheEvicted(region, key)],
    ];
  }
}

/** The fields of a hash, however the protocol writes one. */
function flatKeys(answer: unknown, reply: RedisReply): string[] {
  if (answer instanceof Map) return [...answer.keys()].map((field) => reply.text(field));
  if (!Array.isArray(answer) && answer !== null && typeof answer === 'object') {
    return Object.keys(answer);
  }
  return reply
    .list(answer)
    .filter((_, at) => at % 2 === 0)
    .map((field) => reply.text(field));
}
