import type { Clock } from '../../ports/clock.ts';
import type { ClusterRecord } from '../../ports/cluster-record.ts';
import type { LeaseRecord } from '../../ports/leases.ts';
import type { Random } from '../../ports/random.ts';
import type { DeathCause, SessionDescription, SessionVitals } from '../../ports/sessions.ts';

/** A session as the broker keeps it; `diedMs` is null while nobody has buried it. */
export interface KeptSession {
  readonly token: string;
  readonly description: SessionDescription;
  vitals: SessionVitals;
  beat: number;
  lastBeatMs: number;
  expiresMs: number;
  ttlMs: number;
  death: { readonly atMs: number; readonly cause: DeathCause } | null;
  swept: boolean;
  lentUntilMs: number;
}

/** One engine's end of the bus. */
export interface Receiver {
  deliver(channel: string, payload: Uint8Array): void;
}

/**
 * What a broker holds, as plain data in this process. Several engines attached to one broker are
 * one cluster. Its clock alone decides what has expired, and it decides when it is asked: nothing
 * here waits.
 */
export class MemoryBroker {
  readonly clock: Clock;
  readonly random: Random;
  readonly sessions = new Map<string, KeptSession>();
  readonly leases = new Map<string, LeaseRecord>();
  readonly channels = new Map<string, Set<Receiver>>();
  cluster: ClusterRecord | null = null;
  boot: string;

  constructor(clock: Clock, random: Random) {
    this.clock = clock;
    this.random = random;
    this.boot = random.token(8);
  }

  /** Restarts empty: what a broker without persistence does. Subscribers come back by themselves. */
  wipe(): void {
    this.sessions.clear();
    this.leases.clear();
    this.cluster = null;
    this.boot = this.random.token(8);
  }
}
