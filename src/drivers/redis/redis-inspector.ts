import { directoryBuckets } from '../../foundation/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ChannelRow, IndexFault, Inspector, LeaseRow } from '../../ports/inspector.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';
import { checkRedisIndexes } from './redis-index-check.ts';
import { parseLease } from './redis-leases.ts';
import { RedisReply } from './redis-replies.ts';

const bucketsAtOnce = 64;
/** Below this a bucket is a listpack, which HSCAN returns whole. */
const fieldsAtOnce = 512;
const pageRowsMax = 1_000;
const channelsAtOnce = 500;

/** Reads the directory bucket by bucket and the channels by their prefix; SCAN is never needed. */
export class RedisInspector implements Inspector {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #clock: Clock;
  readonly #buckets: number;

  constructor(
    connection: RedisConnection,
    keys: RedisKeys,
    clock: Clock,
    buckets: number = directoryBuckets,
  ) {
    this.#connection = connection;
    this.#keys = keys;
    this.#clock = clock;
    this.#buckets = buckets;
  }

  async *leases(): AsyncIterable<LeaseRow[]> {
    for (let first = 0; first < this.#buckets; first += bucketsAtOnce) {
      const length = Math.min(bucketsAtOnce, this.#buckets - first);
      const keys = Array.from({ length }, (_, i) => this.#keys.leases(first + i));
      const starts = await Promise.all(keys.map((key) => this.#scanBucket(key, '0')));
      const rows = starts.flatMap((start) => start.rows);
      for (let i = 0; i < rows.length; i += pageRowsMax) yield rows.slice(i, i + pageRowsMax);
      for (const [i, start] of starts.entries()) {
        if (start.next !== '0') yield* this.#restOfBucket(keys[i]!, start);
      }
    }
  }

  async *channels(): AsyncIterable<ChannelRow[]> {
    const reply = new RedisReply('PUBSUB CHANNELS');
    const args = ['CHANNELS', this.#keys.channelPattern];
    const found = await this.#connection.call({ verb: 'PUBSUB', args, writes: false, bulk: true });
    const channels = reply.list(found).map((channel) => reply.text(channel));
    for (let from = 0; from < channels.length; from += channelsAtOnce) {
      yield await this.#count(channels.slice(from, from + channelsAtOnce));
    }
  }

  async ping(): Promise<number> {
    const sentMs = this.#clock.monotonicMs();
    await this.#connection.call({ verb: 'PING', args: [], writes: false });
    return this.#clock.monotonicMs() - sentMs;
  }

  indexFaults(): Promise<IndexFault[]> {
    return checkRedisIndexes(this.#connection, this.#keys);
  }

  /** Only of a bucket too large for one page; a scan of those may name a record twice. */
  async *#restOfBucket(key: string, start: BucketPage): AsyncIterable<LeaseRow[]> {
    const seen = new Set(start.rows.map((row) => row.doc));
    for (let next = start.next; next !== '0'; ) {
      const page = await this.#scanBucket(key, next);
      const rows = page.rows.filter((row) => !seen.has(row.doc));
      for (const row of rows) seen.add(row.doc);
      if (rows.length > 0) yield rows;
      next = page.next;
    }
  }

  async #scanBucket(key: string, cursor: string): Promise<BucketPage> {
    const reply = new RedisReply(key);
    const args = [key, cursor, 'COUNT', fieldsAtOnce];
    const call = { verb: 'HSCAN', args, keys: [key], writes: false, bulk: true };
    const [next, flat] = reply.list(await this.#connection.call(call));
    const fields = reply.list(flat);
    const rows: LeaseRow[] = [];
    for (let i = 0; i + 1 < fields.length; i += 2) {
      rows.push({ doc: reply.text(fields[i]), ...parseLease(fields[i + 1], reply) });
    }
    return { next: reply.text(next), rows };
  }

  async #count(channels: readonly string[]): Promise<ChannelRow[]> {
    const reply = new RedisReply('PUBSUB NUMSUB');
    const call = { verb: 'PUBSUB', args: ['NUMSUB', ...channels], channels, writes: false };
    const counts = reply.list(await this.#connection.call(call));
    const rows = channels.map((channel, i) => ({
      channel: this.#keys.channelName(channel) ?? channel,
      receivers: reply.count(counts[2 * i + 1]),
    }));
    // Those left between the two commands.
    return rows.filter((row) => row.receivers > 0);
  }
}

interface BucketPage {
  readonly next: string;
  readonly rows: LeaseRow[];
}
