import type { Engine } from '../../ports/engine.ts';

/** The node that owns a document by the directory, if its session lives. */
export async function ownerIn(engine: Engine, doc: string): Promise<string | null> {
  const lease = await engine.leases.read(doc);
  if (lease?.state !== 'held') return null;
  const session = await engine.sessions.read(lease.session);
  return session?.state === 'live' ? session.description.nodeId : null;
}
