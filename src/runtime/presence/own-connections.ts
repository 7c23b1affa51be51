import { BackplaneError } from '../../foundation/errors.ts';
import { isoTime } from '../../foundation/iso-time.ts';
import { presenceLimits, presenceTimes } from '../../foundation/limits.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { Registry } from '../../ports/registry.ts';
import type { Counters } from '../counters.ts';
import type { Outbox } from '../outbox.ts';
import {
  type Connection,
  type ConnectionIdentity,
  checkGroups,
  checkIdentity,
  checkSize,
} from './connection.ts';
import { ConnectionIndex } from './connection-index.ts';
import type { ConnectionSelector } from './connection-selector.ts';
import { HubWriter } from './hub-writer.ts';
import type { ConnectionDoor } from './presence-door.ts';

export interface OwnConnectionsParts {
  readonly nodeId: string;
  readonly registry: Registry;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: Counters;
  session(): string | null;
  refused(): void;
}

interface OwnHub {
  readonly connections: ConnectionIndex;
  readonly writer: HubWriter;
}

/**
 * The connections this node holds. It is their only writer: whoever wants a group changed asks it,
 * and it does one change after the other, so that none is lost.
 */
export class OwnConnections {
  readonly #parts: OwnConnectionsParts;
  readonly #hubs = new Map<string, OwnHub>();
  readonly #hubOf = new Map<string, string>();
  readonly #doors = new Map<string, ConnectionDoor>();
  #version = 0;

  constructor(parts: OwnConnectionsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#doors.size;
  }

  hubs(): string[] {
    return [...this.#hubs.keys()];
  }

  get(id: string): Connection | null {
    const hub = this.#hubOf.get(id);
    return hub === undefined ? null : (this.#hubs.get(hub)?.connections.get(id) ?? null);
  }

  door(id: string): ConnectionDoor | null {
    return this.#doors.get(id) ?? null;
  }

  index(hub: string): ConnectionIndex | null {
    return this.#hubs.get(hub)?.connections ?? null;
  }

  /** The version of ours that the registry should have in the hub; null while that is not known. */
  confirmedVersion(hub: string): number | null {
    const writer = this.#hubs.get(hub)?.writer;
    return writer ? writer.confirmed : 0;
  }

  find(selector: ConnectionSelector): Connection[] {
    const { id, hub } = selector;
    const only = hub ?? (id === undefined ? undefined : this.#hubOf.get(id));
    if (id !== undefined && only === undefined) return [];
    const hubs = only === undefined ? [...this.#hubs.values()] : [this.#hubs.get(only)];
    return hubs.flatMap((one) => one?.connections.find(selector) ?? []);
  }

  add(identity: ConnectionIdentity, door: ConnectionDoor): Connection {
    const { clock, random, nodeId } = this.#parts;
    if (this.#doors.size >= presenceLimits.connectionsMax) {
      const message = `${this.#doors.size} connections are registered here, which is the most`;
      throw new BackplaneError('OVERLOADED', message);
    }
    const connection = checkSize({
      id: `c-${random.token(12)}`,
      ...checkIdentity(identity),
      since: isoTime(clock.wallMs()) ?? '',
      nodeId,
      session: this.#parts.session() ?? '',
    });
    const own = this.#hub(connection.hub);
    this.#doors.set(connection.id, door);
    this.#hubOf.set(connection.id, connection.hub);
    own.connections.put(connection);
    void own.writer.changed(connection.id);
    return connection;
  }

  remove(id: string): Promise<void> {
    const hub = this.#hubOf.get(id);
    const own = hub === undefined ? undefined : this.#hubs.get(hub);
    if (!own) return Promise.resolve();
    this.#doors.delete(id);
    this.#hubOf.delete(id);
    own.connections.remove(id);
    return own.writer.changed(id);
  }

  /**
   * Joins and leaves groups, in this order; answers the groups it is in now. Resolves when it was
   * written down, or after a second without a broker: then that happens later.
   */
  async change(
    id: string,
    change: { readonly join: readonly string[]; readonly leave: readonly string[] },
  ): Promise<Connection> {
    const connection = this.get(id);
    if (!connection) {
      throw new BackplaneError('CONNECTION_UNKNOWN', `no connection is called "${id}" here`);
    }
    const left = new Set(change.leave);
    const joined = [...connection.groups, ...change.join].filter((group) => !left.has(group));
    const changed = checkSize({ ...connection, groups: checkGroups(joined) });
    const own = this.#hub(connection.hub);
    own.connections.put(changed);
    await this.#inTime(own.writer.changed(id));
    return changed;
  }

  reopened(session: string): void {
    for (const { connections, writer } of this.#hubs.values()) {
      for (const connection of [...connections.values()]) {
        connections.put({ ...connection, session });
      }
      void writer.reopened();
    }
  }

  hurry(): void {
    for (const { writer } of this.#hubs.values()) writer.hurry();
  }

  /** What the broker has of our session in a hub is not what we wrote. */
  rewrite(hub: string): void {
    this.#hub(hub).writer.rewrite();
  }

  forgetEmptyHubs(): void {
    for (const [hub, { writer }] of this.#hubs) {
      if (!writer.isDone) continue;
      writer.stop();
      this.#hubs.delete(hub);
    }
  }

  async stop(how: 'leave' | 'crash'): Promise<void> {
    // Removed one by one, the others need not wait until our session is found to have left.
    const gone = how === 'leave' ? [...this.#doors.keys()].map((id) => this.remove(id)) : [];
    await this.#inTime(Promise.all(gone));
    for (const { writer } of this.#hubs.values()) writer.stop();
  }

  async #inTime(settled: Promise<unknown>): Promise<void> {
    const waited = new AbortController();
    await Promise.race([settled, sleep(this.#parts.clock, presenceTimes.settleMs, waited.signal)]);
    waited.abort();
  }

  #hub(hub: string): OwnHub {
    const known = this.#hubs.get(hub);
    if (known) return known;
    this.forgetEmptyHubs();
    if (this.#hubs.size >= presenceLimits.hubsMax) {
      const message = `connections of this node are in ${this.#hubs.size} hubs, which is the most`;
      throw new BackplaneError('OVERLOADED', message);
    }
    const connections = new ConnectionIndex();
    const nextVersion = () => {
      this.#version += 1;
      return this.#version;
    };
    const writer = new HubWriter({ ...this.#parts, hub, connections, nextVersion });
    const own = { connections, writer };
    this.#hubs.set(hub, own);
    return own;
  }
}
