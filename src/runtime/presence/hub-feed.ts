import { limits } from '../../foundation/limits.ts';
import { parsePlainJson } from '../../foundation/plain-json.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Registry } from '../../ports/registry.ts';
import type { Counters } from '../counters.ts';
import type { PresenceFrame } from '../frames.ts';
import { type Connection, readRecord, readRecordText } from './connection.ts';
import { HubReplica } from './hub-replica.ts';

export interface HubFeedParts {
  readonly hub: string;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly counters: Counters;
  /** Ours, now or before: our own connections are known without hearsay. */
  isOwn(session: string): boolean;
  isKnownDead(session: string): boolean;
  /** Asks the broker. */
  live(): Promise<ReadonlySet<string>>;
}

interface Reading {
  readonly heard: PresenceFrame[];
  readonly done: Promise<void>;
}

const heardMax = 1_024;

/**
 * One hub as this node knows it, kept right: a change heard is applied if it continues what is
 * known, and otherwise that session is read from the registry. Now and then, and after every
 * interruption, versions are compared with the registry's: only so is it noticed that the *last*
 * change was lost, or that a session is gone.
 */
export class HubFeed {
  readonly replica = new HubReplica();
  readonly #parts: HubFeedParts;
  readonly #readings = new Map<string, Reading>();
  #comparing: Promise<ReadonlyMap<string, number>> | null = null;

  constructor(parts: HubFeedParts) {
    this.#parts = parts;
  }

  hear(frame: PresenceFrame): void {
    const { session, from, version } = frame;
    if (this.#parts.isOwn(session) || this.#parts.isKnownDead(session)) return;
    const reading = this.#readings.get(session);
    if (reading) {
      // What overflows is found by the next comparison.
      if (reading.heard.length < heardMax) reading.heard.push(copyOf(frame));
      return;
    }
    const known = this.replica.version(session);
    if (version <= known) return;
    const changes = from === known ? this.#changesOf(frame) : null;
    if (!changes) return void this.#read(session).catch(() => {});
    this.replica.change(session, version, changes, this.#parts.clock.monotonicMs());
  }

  drop(session: string): void {
    this.replica.drop(session);
  }

  /** Brings this up to what the broker has now; answers the versions it has. */
  compare(): Promise<ReadonlyMap<string, number>> {
    this.#comparing ??= this.#compare().finally(() => {
      this.#comparing = null;
    });
    return this.#comparing;
  }

  /** As `compare`, and not begun before this call. */
  async refresh(): Promise<void> {
    await this.#comparing?.catch(() => {});
    await this.compare();
  }

  async #compare(): Promise<ReadonlyMap<string, number>> {
    const { registry, hub, clock, isOwn, isKnownDead } = this.#parts;
    const before = new Map(this.replica.sessions().map((one) => [one, this.replica.version(one)]));
    const versions = await registry.versions(hub);
    const nowMs = clock.monotonicMs();
    // What was heard since we asked is newer than the answer.
    const isUntouched = (one: string) => this.replica.version(one) === (before.get(one) ?? 0);
    for (const one of before.keys()) {
      if (!versions.has(one) && isUntouched(one)) this.replica.drop(one);
    }
    const others = [...versions].filter(([one]) => !isOwn(one) && !isKnownDead(one));
    const differing: string[] = [];
    for (const [one, version] of others) {
      if (version === this.replica.version(one)) this.replica.agreed(one, nowMs);
      else if (isUntouched(one)) differing.push(one);
    }
    await this.#readAll(differing, before);
    return versions;
  }

  async #readAll(sessions: readonly string[], known: ReadonlyMap<string, number>): Promise<void> {
    if (sessions.length === 0) return;
    // What the dead left is being swept; to take it in would bring their ghosts back.
    const isNew = sessions.some((one) => !known.has(one));
    const live = isNew ? await this.#parts.live() : null;
    const wanted = sessions.filter((one) => known.has(one) || live?.has(one));
    await Promise.all(wanted.map((one) => this.#read(one)));
  }

  #read(session: string): Promise<void> {
    const under = this.#readings.get(session);
    if (under) return under.done;
    const heard: PresenceFrame[] = [];
    const done = this.#readPages(session).finally(() => {
      this.#readings.delete(session);
      for (const frame of heard) this.hear(frame);
    });
    this.#readings.set(session, { heard, done });
    return done;
  }

  /** The version is of before the first page; what changes meanwhile is heard, and applied again. */
  async #readPages(session: string): Promise<void> {
    const { registry, hub, clock, counters, isKnownDead } = this.#parts;
    counters.add('presence_rereads_total');
    const found = new Map<string, Connection>();
    let version: number | null = null;
    let from: string | null = null;
    do {
      const page = await registry.read(session, hub, from);
      version ??= page.version;
      for (const { id, record } of page.records) {
        const connection = readRecordText({ id, hub, session }, record);
        if (connection) found.set(id, connection);
        else counters.add('frames_malformed_total');
      }
      from = page.next;
    } while (from !== null);
    if (isKnownDead(session) || version === 0) this.replica.drop(session);
    else this.replica.replace(session, version, found, clock.monotonicMs());
  }

  #changesOf(frame: PresenceFrame): (readonly [string, Connection | null])[] | null {
    const { hub, session } = frame;
    let rows: unknown;
    try {
      rows = parsePlainJson(Buffer.from(frame.payload).toString('utf8'), 'a change of presence');
    } catch {
      return null;
    }
    if (!Array.isArray(rows) || rows.length > limits.registryChangesMax) return null;
    const changes: (readonly [string, Connection | null])[] = [];
    for (const row of rows) {
      const [id, record] = Array.isArray(row) ? row : [];
      if (typeof id !== 'string') return null;
      const connection = record === null ? null : readRecord({ id, hub, session }, record);
      if (record !== null && !connection) return null;
      changes.push([id, connection]);
    }
    return changes;
  }
}

/** The bus lends the bytes for the call only. */
function copyOf(frame: PresenceFrame): PresenceFrame {
  return { ...frame, payload: Uint8Array.prototype.slice.call(frame.payload) };
}
