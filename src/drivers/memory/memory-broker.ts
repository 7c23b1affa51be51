import { BackplaneError } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ClusterRecord } from '../../ports/cluster-record.ts';
import type { Random } from '../../ports/random.ts';
import type { DeathCause } from '../../ports/sessions.ts';
import { MemoryCacheBook } from './memory-cache-book.ts';
import { MemoryDirectory } from './memory-directory.ts';
import { MemoryRegistrations } from './memory-registrations.ts';
import { MemorySessionBook } from './memory-session-book.ts';

/** What a broker tells the engines attached to it. */
export interface MemoryAttachment {
  /** The connection was cut and is there again. */
  interrupted(): void;
}

/** The data of a broker as they were at some moment. */
export interface MemoryReplica {
  readonly sessions: MemorySessionBook;
  readonly directory: MemoryDirectory;
  readonly clusterRecord: ClusterRecord | null;
  readonly registrations: MemoryRegistrations;
  readonly caches: MemoryCacheBook;
}

/**
 * The one broker of a cluster that lives in this process: what a Redis would hold, as plain data.
 * Engines attach to it as nodes connect to a server. It can lose its data, cut its connections and
 * stop answering, so that what must survive that can be tested without a server.
 */
export class MemoryBroker {
  readonly clock: Clock;
  readonly #random: Random;
  readonly #attached = new Set<MemoryAttachment>();
  #answers = true;
  /** Told of every session that ends, when that is decided. */
  buried: (session: string, cause: DeathCause) => void = () => {};
  sessions: MemorySessionBook;
  directory = new MemoryDirectory();
  clusterRecord: ClusterRecord | null = null;
  caches = new MemoryCacheBook();
  /** Another one when the data were lost or replaced. */
  incarnation = 1;
  registrations = new MemoryRegistrations();
  /** Who listens to a channel, each engine once, in the order of joining. */
  readonly channels = new Map<string, Set<(payload: Uint8Array) => void>>();

  constructor(clock: Clock, random: Random) {
    this.clock = clock;
    this.#random = random;
    this.sessions = this.#emptyBook();
  }

  /** Throws BACKPLANE_UNREACHABLE while the broker does not answer. */
  requireAnswer(): void {
    if (this.#answers) return;
    throw new BackplaneError('BACKPLANE_UNREACHABLE', 'the broker in memory does not answer');
  }

  attach(attachment: MemoryAttachment): void {
    this.#attached.add(attachment);
  }

  detach(attachment: MemoryAttachment): void {
    this.#attached.delete(attachment);
  }

  /** Loses all data, as a broker that was restarted without a disk. Cuts every connection. */
  wipe(): void {
    this.sessions = this.#emptyBook();
    this.directory = new MemoryDirectory();
    this.clusterRecord = null;
    this.registrations = new MemoryRegistrations();
    this.caches = new MemoryCacheBook();
    this.incarnation += 1;
    this.interrupt();
  }

  /** What a replica would have that has followed until now. */
  replica(): MemoryReplica {
    const { sessions, directory, clusterRecord, registrations, caches } = this;
    return {
      sessions: sessions.copy(),
      directory: directory.copy(),
      clusterRecord,
      registrations: registrations.copy(),
      caches: caches.copy(),
    };
  }

  /** Fails over to a replica, which was behind. Cuts every connection. */
  failOver(replica: MemoryReplica): void {
    const { sessions, directory, clusterRecord, registrations, caches } = replica;
    this.sessions = sessions;
    this.directory = directory;
    this.clusterRecord = clusterRecord;
    this.registrations = registrations;
    this.caches = caches;
    this.incarnation += 1;
    this.interrupt();
  }

  /** Cuts every connection; what was on its way is lost. */
  interrupt(): void {
    for (const attachment of this.#attached) attachment.interrupted();
  }

  stopAnswering(): void {
    this.#answers = false;
  }

  answerAgain(): void {
    this.#answers = true;
    this.interrupt();
  }

  #emptyBook(): MemorySessionBook {
    return new MemorySessionBook(this.clock, this.#random.token(16), (id, cause) => {
      this.buried(id, cause);
    });
  }
}
