import { invariant } from '../../foundation/assert.ts';
import { directoryBuckets } from '../../foundation/limits.ts';
import type {
  ClaimAnswer,
  LeaseConfirmation,
  LeaseNaming,
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

  async claim(
    doc: string,
    seen: LeaseRecord | null,
    session: string,
    naming: LeaseNaming = 'anybody',
  ): Promise<ClaimAnswer> {
    const epoch = seen?.epoch ?? 0;
    const claimed = leaseText({ session, epoch, state: 'claimed' });
    const living = naming === 'living' ? session : null;
    const swap = await this.#swap(doc, [seen ? leaseText(seen) : ''], claimed, living);
    if (swap.outcome === 'changed') return { status: 'claimed', epoch };
    return swap.outcome === 'dead'
      ? { status: 'dead' }
      : { status: 'conflict', current: swap.current };
  }

  async confirm(confirmation: LeaseConfirmation): Promise<'confirmed' | 'superseded'> {
    const { doc, session, claimedEpoch, epoch } = confirmation;
    const claimed = leaseText({ session, epoch: claimedEpoch, state: 'claimed' });
    const held = leaseText({ session, epoch, state: 'held' });
    const { outcome } = await this.#swap(doc, [claimed], held);
    return outcome === 'changed' ? 'confirmed' : 'superseded';
  }

  async release(
    doc: string,
    session: string,
    epoch: number,
    successor: string | null,
    naming: LeaseNaming = 'anybody',
  ): Promise<boolean> {
    const mine = (['held', 'claimed'] as const).map((state) =>
      leaseText({ session, epoch, state }),
    );
    const handed = successor && leaseText({ session: successor, epoch, state: 'handed' });
    const living = naming === 'living' ? successor : null;
    const { outcome } = await this.#swap(doc, mine, handed || '', living);
    // Until the second step it is still ours, so whoever sweeps us sweeps it, too.
    if (outcome === 'dead') return this.release(doc, session, epoch, null);
    return outcome === 'changed';
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

  /** `living`: the session that `next` names, if it has to be alive in the step that writes it. */
  async #swap(
    doc: string,
    seen: readonly string[],
    next: string,
    living: string | null = null,
  ): Promise<Swap> {
    const key = this.#bucketOf(doc);
    const reply = new RedisReply(key);
    const keys = living === null ? [key] : [key, this.#keys.session(living)];
    const [answer, found] = reply.list(
      await this.#scripts.run('swap-lease', { keys, args: [doc, next, ...seen] }),
    );
    const outcome = outcomes[reply.count(answer)] ?? reply.fail('0, 1 or 2');
    const current = outcome === 'other' && found !== '' ? parseLease(found, reply) : null;
    return { outcome, current };
  }

  #bucketOf(doc: string): string {
    return this.#keys.leasesOf(doc, this.#buckets);
  }
}

/** As the script numbers them; `other`: the record was none of those it may have been. */
const outcomes = ['other', 'changed', 'dead'] as const;

interface Swap {
  readonly outcome: (typeof outcomes)[number];
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
