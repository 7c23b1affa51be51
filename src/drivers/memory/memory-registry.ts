import { limits } from '../../foundation/limits.ts';
import type {
  ClearStep,
  HoldAnswer,
  HubPage,
  NameClaim,
  NameHolder,
  NamePage,
  Registry,
  RegistryPage,
  RegistryWrite,
  WriteAnswer,
} from '../../ports/registry.ts';
import type { MemoryConnection } from './memory-connection.ts';

/** Registrations as maps in the broker. A call is one step that nothing can come between. */
export class MemoryRegistry implements Registry {
  readonly #connection: MemoryConnection;

  constructor(connection: MemoryConnection) {
    this.#connection = connection;
  }

  write(write: RegistryWrite): Promise<WriteAnswer> {
    const { session, hub, from, version } = write;
    const changes = write.changes.map((change) => ({ ...change }));
    return this.#connection.call(({ sessions, registrations }): WriteAnswer => {
      if (!sessions.lives(session)) return { status: 'dead' };
      const held = registrations.of(session, hub)?.version ?? 0;
      if (from !== null && held !== from) return { status: 'conflict', version: held };
      if (from === null) registrations.remove(session, hub);
      registrations.change(session, hub, version, changes);
      return { status: 'written' };
    });
  }

  versions(hub: string): Promise<ReadonlyMap<string, number>> {
    return this.#connection.call(({ registrations }) => {
      const sessions = [...(registrations.hubs.get(hub) ?? [])];
      return new Map(sessions.map(([session, { version }]) => [session, version]));
    });
  }

  read(session: string, hub: string, from: string | null): Promise<RegistryPage> {
    return this.#connection.call(({ registrations }) => {
      const held = registrations.of(session, hub);
      if (!held) return { version: 0, records: [], next: null };
      // The last id shown and not a position, so that what is removed meanwhile shifts nothing.
      const later = [...held.records].filter(([id]) => from === null || id > from).sort(byFirst);
      const page = later.slice(0, limits.registryPageMax);
      const records = page.map(([id, record]) => ({ id, record }));
      return { version: held.version, records, next: nextAfter(page, later) };
    });
  }

  hubs(from: string | null): Promise<HubPage> {
    return this.#connection.call(({ registrations }) => {
      const later = [...registrations.hubs].filter(([hub]) => from === null || hub > from);
      const page = later.sort(byFirst).slice(0, limits.registryPageMax);
      return { hubs: page.map(([hub]) => hub), next: nextAfter(page, later) };
    });
  }

  hold(claim: NameClaim, how: 'refuse' | 'take'): Promise<HoldAnswer> {
    const { name, session, token, holder } = claim;
    return this.#connection.call(({ sessions, registrations: { names } }): HoldAnswer => {
      if (!sessions.lives(session)) return { status: 'dead' };
      const found = names.get(name);
      const previous = found && sessions.lives(found.session) ? found : null;
      const isOwn = previous?.token === token;
      if (previous && !isOwn && how === 'refuse') return { status: 'conflict', previous };
      names.set(name, { name, session, token, holder });
      return previous && !isOwn ? { status: 'taken', previous } : { status: 'held' };
    });
  }

  letGo(name: string, _session: string, token: string): Promise<boolean> {
    return this.#connection.call(({ registrations: { names } }) => {
      return names.get(name)?.token === token && names.delete(name);
    });
  }

  holder(name: string): Promise<NameHolder | null> {
    return this.#connection.call(({ sessions, registrations: { names } }) => {
      const found = names.get(name);
      return found && sessions.lives(found.session) ? found : null;
    });
  }

  names(from: string | null): Promise<NamePage> {
    return this.#connection.call(({ sessions, registrations }) => {
      const later = [...registrations.names].filter(([name]) => from === null || name > from);
      const page = later.sort(byFirst).slice(0, limits.registryPageMax);
      const living = page.filter(([, { session }]) => sessions.lives(session));
      return { names: living.map(([, holder]) => holder), next: nextAfter(page, later) };
    });
  }

  clear(session: string): Promise<ClearStep> {
    return this.#connection.call(({ sessions, registrations }) => {
      if (sessions.lives(session)) return { removed: 0, done: true };
      const { hubs, names } = registrations;
      const inHubs = [...hubs].filter(([, sessionsOf]) => sessionsOf.has(session));
      const held = [...names].filter(([, holder]) => holder.session === session);
      const some = [...inHubs.map(([hub]) => ({ hub })), ...held.map(([name]) => ({ name }))];
      const step = some.slice(0, limits.registryPageMax);
      for (const one of step) {
        if ('hub' in one) registrations.remove(session, one.hub);
        else names.delete(one.name);
      }
      return { removed: step.length, done: step.length === some.length };
    });
  }
}

function byFirst([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function nextAfter(
  page: readonly (readonly [string, unknown])[],
  all: readonly unknown[],
): string | null {
  return page.length < all.length ? (page.at(-1)?.[0] ?? null) : null;
}
