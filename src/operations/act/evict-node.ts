import { BackplaneError } from '../../foundation/errors.ts';
import type { Leases } from '../../ports/leases.ts';
import type { Registry } from '../../ports/registry.ts';
import type { SessionRecord, Sessions } from '../../ports/sessions.ts';
import { findSessions } from '../inspect/find-session.ts';
import { stateOf } from '../inspect/list-nodes.ts';

/** What was removed of a node. */
export interface EvictReport {
  readonly nodeId: string;
  /** Leases removed, of all its sessions. */
  readonly removed: number;
  readonly sessions: readonly EvictedSession[];
}

export interface EvictedSession {
  readonly session: string;
  /** What it was before: `silent`, `dead`, or with force any. */
  readonly was: string;
  /** This command ended it. */
  readonly fenced: boolean;
  readonly removed: number;
}

export interface EvictParts {
  readonly sessions: Sessions;
  readonly leases: Leases;
  readonly registry: Registry;
}

export interface EvictOptions {
  /** Also a node that is alive: it loses every document and comes back under a new session. */
  readonly force?: boolean;
}

/** A node with a fast heartbeat may beat between looking and fencing. */
const fencesMax = 5;

/**
 * Ends the silent or dead sessions of a node and clears what they left. It fences before it
 * clears, so a living node's leases are never cleared. Throws NODE_UNKNOWN, and NODE_ALIVE before
 * anything is changed.
 */
export async function evictNode(
  parts: EvictParts,
  node: string,
  options: EvictOptions = {},
): Promise<EvictReport> {
  const found = await findSessions(parts.sessions, node);
  if (!options.force) refuseTheLiving(found, node);
  const evicted: EvictedSession[] = [];
  for (const record of found) {
    const was = stateOf(record);
    const fenced = record.state === 'live' && (await endSession(parts, record, options));
    evicted.push({ session: record.id, was, fenced, removed: await clear(parts, record.id) });
  }
  return {
    nodeId: found[0]?.description.nodeId ?? node,
    removed: evicted.reduce((sum, { removed }) => sum + removed, 0),
    sessions: evicted,
  };
}

function refuseTheLiving(found: readonly SessionRecord[], node: string): void {
  const living = found.find((record) => !['silent', 'dead'].includes(stateOf(record)));
  if (!living) return;
  const others = found.filter((record) => record.state === 'dead');
  throw new BackplaneError(
    'NODE_ALIVE',
    `the node "${node}" is alive: its last beat was ${Math.round(living.lastBeatAgoMs)} ms ago`,
    {
      remedy:
        others.length > 0
          ? `to clear an earlier life of it, name the session: backplane node evict ${others[0]?.id}`
          : `stop it in order: backplane node drain ${node}; or evict it anyway with --force`,
      facts: { node, session: living.id, lastBeatAgoMs: living.lastBeatAgoMs },
    },
  );
}

async function endSession(
  { sessions }: EvictParts,
  seen: SessionRecord,
  options: EvictOptions,
): Promise<boolean> {
  let record = seen;
  for (let attempt = 0; attempt < fencesMax; attempt++) {
    const answer = await sessions.fence(record.id, record.beat, 'fenced');
    if (answer !== 'renewed') return answer === 'fenced';
    if (!options.force) refuseTheLiving([{ ...record, lastBeatAgoMs: 0 }], record.id);
    const now = await sessions.read(record.id);
    if (now === null || now.state === 'dead') return false;
    record = now;
  }
  throw new BackplaneError('CONFLICT', `the session ${seen.id} beats faster than it can be fenced`);
}

/** Leases first, then what it has registered; only then is the session forgotten as swept. */
async function clear({ sessions, leases, registry }: EvictParts, session: string): Promise<number> {
  let removed = 0;
  let from: string | null = null;
  do {
    const step = await leases.sweep(session, from);
    removed += step.removed;
    from = step.next;
  } while (from !== null);
  for (let done = false; !done; ) done = (await registry.clear(session)).done;
  await sessions.finishSweep(session);
  return removed;
}
