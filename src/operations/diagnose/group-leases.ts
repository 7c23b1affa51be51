import type { Engine } from '../../ports/engine.ts';
import type { LeaseGroup, Sample } from './evidence.ts';

const leasesMax = 200_000;
const docsShown = 5;
/** Of a session that is not alive: so many are looked at again. */
const docsKept = 200;

interface Group {
  readonly docs: string[];
  count: number;
}

/**
 * The leases of each session. Those of a session that is not alive are looked at again after
 * `settle`: a takeover or a sweep that was under way is over by then.
 */
export async function groupLeases(
  { inspector, sessions, leases }: Pick<Engine, 'inspector' | 'sessions' | 'leases'>,
  settle: () => Promise<void>,
): Promise<Sample<LeaseGroup>> {
  const groups = new Map<string, Group>();
  let counted = 0;
  for await (const page of inspector.leases()) {
    for (const { doc, session } of page) {
      const group = groups.get(session) ?? { docs: [], count: 0 };
      group.count += 1;
      if (group.docs.length < docsKept) group.docs.push(doc);
      groups.set(session, group);
    }
    counted += page.length;
    if (counted >= leasesMax) break;
  }
  const stateOf = async (session: string) => (await sessions.read(session))?.state ?? null;
  const states = new Map<string, LeaseGroup['state']>();
  for (const session of groups.keys()) states.set(session, await stateOf(session));
  const suspects = [...groups].filter(([session]) => states.get(session) !== 'live');
  if (suspects.length > 0) await settle();
  const rows: LeaseGroup[] = [];
  for (const [session, { docs, count }] of groups) {
    const state = states.get(session) ?? null;
    if (state === 'live') {
      rows.push({ session, leases: count, docs: docs.slice(0, docsKept), state, settled: true });
      continue;
    }
    const records = await Promise.all(docs.map((doc) => leases.read(doc)));
    const still = docs.filter((_, at) => records[at]?.session === session);
    if (still.length === 0) continue;
    const settled = (await stateOf(session)) !== 'live';
    rows.push({
      session,
      leases: count - docs.length + still.length,
      docs: still.slice(0, docsShown),
      state,
      settled,
    });
  }
  return { rows, counted, truncated: counted >= leasesMax };
}
