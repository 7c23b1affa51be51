import type { Connection } from './connection.ts';
import { type ConnectionSelector, matches } from './connection-selector.ts';

/** Connections by id, user and group, so that what is asked for is found without looking at all. */
export class ConnectionIndex {
  readonly #byId = new Map<string, Connection>();
  readonly #byUser = new Map<string, Set<Connection>>();
  readonly #byGroup = new Map<string, Set<Connection>>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Connection | null {
    return this.#byId.get(id) ?? null;
  }

  /** In the place of the one that had its id. */
  put(connection: Connection): void {
    const before = this.#byId.get(connection.id);
    if (before) this.#unlink(before);
    this.#byId.set(connection.id, connection);
    if (connection.user !== null) link(this.#byUser, connection.user, connection);
    for (const group of connection.groups) link(this.#byGroup, group, connection);
  }

  remove(id: string): void {
    const connection = this.#byId.get(id);
    if (!connection) return;
    this.#byId.delete(id);
    this.#unlink(connection);
  }

  values(): Iterable<Connection> {
    return this.#byId.values();
  }

  /** Looks only at those that share the rarest thing asked for. */
  find(selector: ConnectionSelector): Connection[] {
    const { id, user, group } = selector;
    if (id !== undefined) {
      const found = this.#byId.get(id);
      return found && matches(selector, found) ? [found] : [];
    }
    const narrowed = user !== undefined ? this.#byUser.get(user) : undefined;
    const grouped = group !== undefined ? this.#byGroup.get(group) : undefined;
    if ((user !== undefined && !narrowed) || (group !== undefined && !grouped)) return [];
    const found: Connection[] = [];
    for (const one of narrowed ?? grouped ?? this.#byId.values()) {
      if (matches(selector, one)) found.push(one);
    }
    return found;
  }

  users(): Iterable<readonly [string, ReadonlySet<Connection>]> {
    return this.#byUser;
  }

  groups(): Iterable<readonly [string, ReadonlySet<Connection>]> {
    return this.#byGroup;
  }

  #unlink(connection: Connection): void {
    if (connection.user !== null) unlink(this.#byUser, connection.user, connection);
    for (const group of connection.groups) unlink(this.#byGroup, group, connection);
  }
}

type Links = Map<string, Set<Connection>>;

function link(links: Links, name: string, connection: Connection): void {
  const linked = links.get(name);
  if (linked) linked.add(connection);
  else links.set(name, new Set([connection]));
}

function unlink(links: Links, name: string, connection: Connection): void {
  const linked = links.get(name);
  if (linked?.delete(connection) && linked.size === 0) links.delete(name);
}
