import type { NameHolder, RegistryChange } from '../../ports/registry.ts';

export interface HubRegistrations {
  version: number;
  readonly records: Map<string, string>;
}

/** What sessions have registered, as plain data: by hub and session, and names by who holds them. */
export class MemoryRegistrations {
  readonly hubs = new Map<string, Map<string, HubRegistrations>>();
  readonly names = new Map<string, NameHolder>();

  of(session: string, hub: string): HubRegistrations | null {
    return this.hubs.get(hub)?.get(session) ?? null;
  }

  /** Makes the changes and forgets the hub if nothing of the session is left in it. */
  change(session: string, hub: string, version: number, changes: readonly RegistryChange[]): void {
    const sessions = this.hubs.get(hub) ?? new Map<string, HubRegistrations>();
    const held = sessions.get(session) ?? { version, records: new Map<string, string>() };
    held.version = version;
    for (const { id, record } of changes) {
      if (record === null) held.records.delete(id);
      else held.records.set(id, record);
    }
    if (held.records.size > 0) sessions.set(session, held);
    else sessions.delete(session);
    if (sessions.size > 0) this.hubs.set(hub, sessions);
    else this.hubs.delete(hub);
  }

  remove(session: string, hub: string): void {
    const sessions = this.hubs.get(hub);
    sessions?.delete(session);
    if (sessions?.size === 0) this.hubs.delete(hub);
  }

  copy(): MemoryRegistrations {
    const copy = new MemoryRegistrations();
    for (const [hub, sessions] of this.hubs) {
      const copied = [...sessions].map(([session, { version, records }]) => {
        return [session, { version, records: new Map(records) }] as const;
      });
      copy.hubs.set(hub, new Map(copied));
    }
    for (const [name, holder] of this.names) copy.names.set(name, holder);
    return copy;
  }
}
