import {
  type CacheEviction,
  type CacheEvictionAnswer,
  type CacheLook,
  type CacheRead,
  type CacheRecords,
  type CacheStamp,
  type CacheWrite,
  evictionTrailer,
} from '../../ports/cache-records.ts';
import type { MemoryBroker } from './memory-broker.ts';
import type { MemoryConnection } from './memory-connection.ts';

/** The caches' records in the broker's book; each call is one step, with its announcement. */
export class MemoryCacheRecords implements CacheRecords {
  readonly #connection: MemoryConnection;

  constructor(connection: MemoryConnection) {
    this.#connection = connection;
  }

  join(region: string, token: string, shares: boolean): Promise<CacheStamp> {
    return this.#call(({ caches }, nowMs) => caches.join(region, token, shares, nowMs));
  }

  evict(eviction: CacheEviction): Promise<CacheEvictionAnswer> {
    // Copied at once: the caller may change it as soon as the call has returned.
    const announcement = Buffer.from(eviction.announcement);
    return this.#call((broker, nowMs) => {
      const done = broker.caches.evict(eviction, nowMs);
      if (!done) return { status: 'changed' };
      const { before, stamp } = done;
      if (before === stamp) return { status: 'evicted', stamp, receivers: 0 };
      const trailer = Buffer.from(evictionTrailer(stamp.count, before.token));
      const hearers = broker.channels.get(eviction.channel);
      for (const hear of hearers ?? []) hear(Buffer.concat([announcement, trailer]));
      return { status: 'evicted', stamp, receivers: hearers?.size ?? 0 };
    });
  }

  look(regions: readonly string[]): Promise<CacheLook> {
    return this.#call(({ caches, incarnation }, nowMs) => ({
      broker: String(incarnation),
      stamps: regions.map((region) => caches.stamp(region, nowMs)),
    }));
  }

  read(region: string, key: string): Promise<CacheRead> {
    return this.#call(({ caches }, nowMs) => caches.read(region, key, nowMs));
  }

  write(write: CacheWrite): Promise<'written' | 'refused'> {
    return this.#call(({ caches }, nowMs) => (caches.write(write, nowMs) ? 'written' : 'refused'));
  }

  regions(): Promise<string[]> {
    return this.#call(({ caches }) => caches.names());
  }

  #call<T>(step: (broker: MemoryBroker, nowMs: number) => T): Promise<T> {
    return this.#connection.call((broker) => step(broker, broker.clock.wallMs()));
  }
}
