import { crc32 } from 'node:zlib';
import { BackplaneError } from '../../foundation/errors.ts';
import { encodeName } from '../../foundation/identifiers.ts';

export const defaultKeyPrefix = 'backplane:';

/**
 * The one place where names of keys and channels are made. Whatever belongs together in one script
 * shares a hash tag, so it lies in one slot of a Redis Cluster: `{s}` for sessions and what the
 * cluster agreed on, `{l17}` for one bucket of the directory, the document's own for its store. One
 * script reaches across: who claims a lease must be alive in that step.
 * Names from users enter encoded, so none can carry braces or glob characters.
 */
export class RedisKeys {
  readonly prefix: string;

  constructor(prefix: string = defaultKeyPrefix) {
    // Braces would move every key into one slot; globs would make a listing see foreign channels.
    if (!/^[\x21-\x7e]{1,64}$/.test(prefix) || /[{}*?[\]\\^]/.test(prefix)) {
      throw new BackplaneError(
        'CONFIG_INVALID',
        `the key prefix ${JSON.stringify(prefix)} cannot be used`,
        { remedy: 'use up to 64 letters, digits and : . _ - in --prefix' },
      );
    }
    this.prefix = prefix;
  }

  readonly session = (id: string) => `${this.prefix}{s}:sess:${encodeName(id)}`;
  readonly tombstone = (id: string) => `${this.prefix}{s}:dead:${encodeName(id)}`;

  /** Sorted set: ids of sessions not known to be dead, by when they expire. */
  get expiries(): string {
    return `${this.prefix}{s}:expiries`;
  }

  /** Sorted set: ids of dead sessions, by when their tombstone expires. */
  get graves(): string {
    return `${this.prefix}{s}:graves`;
  }

  /** Hash: id to description. */
  get descriptions(): string {
    return `${this.prefix}{s}:descriptions`;
  }

  /** Hash: id to `<beat> <ttl> <vitals>`, apart from the session so that it outlives it. */
  get vitals(): string {
    return `${this.prefix}{s}:vitals`;
  }

  /** Sorted set: ids of dead sessions nobody has swept, by until when they are lent. */
  get unswept(): string {
    return `${this.prefix}{s}:unswept`;
  }

  /** Hash: hubs with records, to their name as it is in keys. */
  get hubs(): string {
    return `${this.prefix}{s}:hubs`;
  }

  /** Hash: session to the version of its records in the hub. */
  readonly hubVersions = (hub: string) => `${this.prefix}{s}:hub:${encodeName(hub)}`;

  /** Hash: the hubs of a session, to their name as it is in keys. */
  readonly hubsOf = (session: string) => `${this.prefix}{s}:hubs-of:${encodeName(session)}`;

  /** Hash: id to record. */
  readonly registrations = (session: string, hub: string) =>
    `${this.prefix}{s}:reg:${encodeName(session)}:${encodeName(hub)}`;

  /** Hash: name to `<session> <token> <what the holder says>`. */
  get names(): string {
    return `${this.prefix}{s}:names`;
  }

  /** Hash: the names a session holds, to the token of each. */
  readonly namesOf = (session: string) => `${this.prefix}{s}:names-of:${encodeName(session)}`;

  get boot(): string {
    return `${this.prefix}{s}:boot`;
  }

  get clusterRecord(): string {
    return `${this.prefix}{s}:cluster`;
  }

  /** Two keys that exist only within the script that checks whether writing works. */
  get probes(): [hash: string, stream: string] {
    return [`${this.prefix}{s}:probe-hash`, `${this.prefix}{s}:probe-stream`];
  }

  readonly leases = (bucket: number) => `${this.prefix}leases:{l${bucket}}`;

  readonly leasesOf = (doc: string, buckets: number) => this.leases(crc32(doc) & (buckets - 1));

  readonly head = (doc: string) => `${this.prefix}doc:{${encodeName(doc)}}:head`;
  readonly log = (doc: string) => `${this.prefix}doc:{${encodeName(doc)}}:log`;
  readonly snapshot = (doc: string) => `${this.prefix}doc:{${encodeName(doc)}}:snapshot`;

  /** Sorted set: every document ever fenced, in the order of its bytes. */
  get documents(): string {
    return `${this.prefix}documents`;
  }

  /** Hash: the count of a region's evictions, the last one's token, and what goes with them. */
  readonly cacheStamp = (region: string) => `${this.#cache(region)}:stamp`;
  /** Hash: prefix to the count of evictions at which it was evicted. */
  readonly cachePrefixes = (region: string) => `${this.#cache(region)}:prefixes`;
  /** Hash: a value, and the count of evictions when its load began. */
  readonly cacheValue = (region: string, key: string) =>
    `${this.#cache(region)}:value:${encodeName(key)}`;
  /** String: the count of evictions at which the key was evicted. */
  readonly cacheEvicted = (region: string, key: string) =>
    `${this.#cache(region)}:evicted:${encodeName(key)}`;
  readonly #cache = (region: string) => `${this.prefix}cache:{c-${encodeName(region)}}`;

  /** Hash: every region ever joined, to when that was last. */
  get cacheRegions(): string {
    return `${this.prefix}cache-regions`;
  }

  readonly channel = (name: string) => this.prefix + name;

  /** Matches exactly the channels with our prefix, whatever the prefix holds. */
  get channelPattern(): string {
    return `${this.prefix.replace(/[*?[\]\\^]/g, '\\$&')}*`;
  }

  /** The other way round; null for a channel that is not ours. */
  channelName(channel: string): string | null {
    return channel.startsWith(this.prefix) ? channel.slice(this.prefix.length) : null;
  }
}
