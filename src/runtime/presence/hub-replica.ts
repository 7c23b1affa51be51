import type { Connection } from './connection.ts';
import { ConnectionIndex } from './connection-index.ts';

interface SessionReplica {
  version: number;
  readonly ids: Set<string>;
  /** When it was last found to be what the broker has, by the monotonic clock. */
  agreedMs: number;
}

/** No session writes it, so it never equals what the broker has. */
const contested = -1;

/** What this node knows of the other nodes' connections in one hub. */
export class HubReplica {
  readonly index = new ConnectionIndex();
  readonly #sessions = new Map<string, SessionReplica>();

  /** 0 for a session of which nothing is known. */
  version(session: string): number {
    return this.#sessions.get(session)?.version ?? 0;
  }

  sessions(): string[] {
    return [...this.#sessions.keys()];
  }

  agreed(session: string, nowMs: number): void {
    const known = this.#sessions.get(session);
    if (known) known.agreedMs = nowMs;
  }

  /** What was agreed on with the broker, and when, for whoever compares nodes. */
  rows(): { session: string; version: number; connections: number; agreedMs: number }[] {
    return [...this.#sessions].map(([session, { version, ids, agreedMs }]) => {
      return { session, version, connections: ids.size, agreedMs };
    });
  }

  connectionsOf(session: string): Connection[] {
    const ids = [...(this.#sessions.get(session)?.ids ?? [])];
    const found = ids.map((id) => this.index.get(id));
    return found.filter((one) => one?.session === session).filter((one) => one !== null);
  }

  change(
    session: string,
    version: number,
    changes: readonly (readonly [id: string, connection: Connection | null])[],
    nowMs: number,
  ): void {
    const known = this.#session(session, nowMs);
    known.version = version;
    for (const [id, connection] of changes) {
      if (connection) this.#put(known, connection);
      else this.#remove(session, known, id);
    }
    if (known.ids.size === 0) this.#sessions.delete(session);
  }

  replace(
    session: string,
    version: number,
    connections: ReadonlyMap<string, Connection>,
    nowMs: number,
  ): void {
    const known = this.#session(session, nowMs);
    known.version = version;
    known.agreedMs = nowMs;
    for (const id of [...known.ids]) {
      if (!connections.has(id)) this.#remove(session, known, id);
    }
    for (const connection of connections.values()) this.#put(known, connection);
    if (known.ids.size === 0) this.#sessions.delete(session);
  }

  drop(session: string): number {
    const known = this.#sessions.get(session);
    if (!known) return 0;
    const count = known.ids.size;
    for (const id of [...known.ids]) this.#remove(session, known, id);
    this.#sessions.delete(session);
    return count;
  }

  #session(session: string, nowMs: number): SessionReplica {
    let known = this.#sessions.get(session);
    if (!known) {
      known = { version: 0, ids: new Set(), agreedMs: nowMs };
      this.#sessions.set(session, known);
    }
    return known;
  }

  #put(known: SessionReplica, connection: Connection): void {
    const other = this.index.get(connection.id);
    if (other && other.session !== connection.session) {
      // Two lives of one node: the earlier one will go, and then the later must be looked at again.
      const rival = this.#sessions.get(other.session);
      if (rival) rival.version = contested;
    }
    known.ids.add(connection.id);
    this.index.put(connection);
  }

  #remove(session: string, known: SessionReplica, id: string): void {
    known.ids.delete(id);
    if (this.index.get(id)?.session === session) this.index.remove(id);
  }
}
