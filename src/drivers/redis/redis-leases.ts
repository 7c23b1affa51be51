import { invariant } from '../../foundation/assert.ts';
import { directoryBuckets } from '../../foundation/limits.ts';
import type {
  ClaimAnswer,
  LeaseConfirmation,
  LeaseRecord,
  LeaseState,
  Leases,
  SweepStep,
} from '../../ports/leases.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';
import { RedisReply } from './redis-replies.ts';
import type { RedisScripts } from './redis-scripts.ts';

const bucketsPerSweep = 256;
const bucketsAtOnce = 32;

/**
 * The directory in hash buckets: document to `<epoch><mark><session>`, the mark being `=` for held,
 * `?` for claimed, `>` for handed. A record is changed only if its text is exactly the one seen.
 */
export class RedisLeases implements Leases {
  readonly #connection: RedisConnection;
  readonly #scripts: RedisScripts;
  readonly #keys: RedisKeys;
  readonly #buckets: number;

  constructor(
    connection: RedisConnection,
    scripts: RedisScripts,
    keys: RedisKeys,
    buckets: number = directoryBuckets,
  ) {
    invariant(Number.isInteger(Math.log2(buckets)), 'the number of buckets is a power of two');
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
    this.#buckets = buckets;
  }

  async read(doc: string): Promise<LeaseRecord | null> {
    const key = this.#bucketOf(doc);
    const call = { verb: 'HGET', args: [key, doc], keys: [key], writes: false };
    const text = await this.#connection.call(call);
    return text === null ? null : parseLease(text, new RedisReply(key));
  }

  async claim(doc: string, seen: LeaseRecord | null, session: string): Promise<ClaimAnswer> {
    const epoch = seen?.epoch ?? 0;
    const claimed = leaseText({ session, epoch, state: 'claimed' });
    const swap = await this.#swap(doc, [seen ? leaseText(seen) : ''], claimed);
    if (swap.changed) return { status: 'claimed', epoch };
    return { status: 'conflict', current: swap.current };
  }

  async confirm(confirmation: LeaseConfirmation): Promise<'confirmed' | 'superseded'> {
    const { doc, session, claimedEpoch, epoch } = confirmation;
    const claimed = leaseText({ session, epoch: claimedEpoch, state: 'claimed' });
    const held = leaseText({ session, epoch, state: 'held' });
    return (await this.#swap(doc, [claimed], held)).changed ? 'confirmed' : 'superseded';
  }

  async release(
    doc: string,
    session: string,
    epoch: number,
    successor: string | null,
  ): Promise<boolean> {
    const mine = (['held', 'claimed'] as const).map((state) =>
      leaseText({ session, epoch, state }),
    );
    const handed = successor && leaseText({ session: successor, epoch, state: 'handed' });
    return (await this.#swap(doc, mine, handed || '')).changed;
  }

  async sweep(session: string, from: string | null): Promise<SweepStep> {
    const first = from === null ? 0 : new RedisReply('the sweep').count(from);
    const end = Math.min(first + bucketsPerSweep, this.#buckets);
    let removed = 0;
    for (let bucket = first; bucket < end; bucket += bucketsAtOnce) {
      const some = Array.from({ length: Math.min(bucketsAtOnce, end - bucket) }, (_, i) => {
        return this.#sweepBucket(this.#keys.leases(bucket + i), session);
      });
      for (const count of await Promise.all(some)) removed += count;
    }
    return { removed, next: end < this.#buckets ? String(end) : null };
  }

  async #sweepBucket(key: string, session: string): Promise<number> {
    const removed = await this.#scripts.run('sweep-bucket', { keys: [key], args: [session] });
    return new RedisReply(key).count(removed);
  }

  async #swap(doc: string, seen: readonly string[], next: string): Promise<Swap> {
    const key = this.#bucketOf(doc);
    const reply = new RedisReply(key);
    const [changed, current] = reply.list(
      await this.#scripts.run('swap-lease', { keys: [key], args: [doc, next, ...seen] }),
    );
    if (reply.count(changed) === 1) return { changed: true, current: null };
    return { changed: false, current: current === '' ? null : parseLease(current, reply) };
  }

  #bucketOf(doc: string): string {
    return this.#keys.leasesOf(doc, this.#buckets);
  }
}

interface Swap {
  readonly changed: boolean;
  readonly current: LeaseRecord | null;
}

const marks: Readonly<Record<LeaseState, string>> = { held: '=', claimed: '?', handed: '>' };

function leaseText(record: LeaseRecord): string {
  return `${record.epoch}${marks[record.state]}${record.session}`;
}

const leasePattern = /^(\d{1,16})([=?>])(.+)$/s;

export function parseLease(value: unknown, reply: RedisReply): LeaseRecord {
  const parts = leasePattern.exec(reply.text(value));
  if (!parts) return reply.fail('an epoch, a mark and a session');
  const state = parts[2] === '=' ? 'held' : parts[2] === '?' ? 'claimed' : 'handed';
  return { session: parts[3]!, epoch: reply.count(parts[1]), state };
}
