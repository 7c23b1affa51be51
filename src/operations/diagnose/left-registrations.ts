import type { Engine } from '../../ports/engine.ts';
import { listHubs } from '../inspect/compare-presence.ts';

/** Connections that are registered for a session that is dead or unknown. */
export interface LeftRegistrations {
  readonly session: string;
  readonly state: 'dead' | 'unknown';
  readonly hubs: readonly string[];
}

/** Costs a step for each hub and session, however many connections there are. Changes nothing. */
export async function findLeftRegistrations({
  registry,
  sessions,
}: Pick<Engine, 'registry' | 'sessions'>): Promise<LeftRegistrations[]> {
  const hubsOf = new Map<string, string[]>();
  for (const hub of await listHubs(registry)) {
    for (const session of (await registry.versions(hub)).keys()) {
      hubsOf.set(session, [...(hubsOf.get(session) ?? []), hub]);
    }
  }
  const left: LeftRegistrations[] = [];
  for (const [session, hubs] of [...hubsOf].sort()) {
    const state = (await sessions.read(session))?.state ?? 'unknown';
    if (state !== 'live') left.push({ session, state, hubs });
  }
  return left;
}
