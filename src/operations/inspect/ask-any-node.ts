import { BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import { dials } from '../../foundation/limits.ts';
import type { SessionRecord, Sessions } from '../../ports/sessions.ts';
import type { ControlName } from '../../runtime/controls.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { stateOf } from './list-nodes.ts';

export interface ClusterDoor {
  readonly sessions: Sessions;
  readonly visitor: Visitor;
}

/** After these another node may well answer. */
const passedOver = [
  'NO_RESPONDER',
  'NODE_DEAD',
  'RESPONDER_GONE',
  'DRAINING',
  'DEADLINE_EXCEEDED',
] as const;

/** Asking more nodes than this would only make a broken cluster slower to diagnose. */
const nodesAskedMax = 3;

/**
 * Asks a question that any node can answer, of the fittest first, then of the next when one is
 * gone. For reading only: a question may be asked twice. Throws NO_NODES.
 */
export async function askAnyNode(
  door: ClusterDoor,
  control: ControlName,
  params: unknown,
  options: RequestOptions = {},
): Promise<unknown> {
  const candidates = rankNodes(await door.sessions.list()).slice(0, nodesAskedMax);
  // One that stands still must leave the others time to answer.
  const timeoutMs = (options.timeoutMs ?? dials.requestTimeoutMs) / Math.max(1, candidates.length);
  let failure: BackplaneError | null = null;
  for (const node of candidates) {
    try {
      return await door.visitor.control(node.id, control, params, { ...options, timeoutMs });
    } catch (error) {
      if (!isBackplaneError(error, ...passedOver)) throw error;
      failure = error;
    }
  }
  throw failure ?? new BackplaneError('NO_NODES', 'no node of this cluster is alive');
}

/** Live sessions, those that will answer soonest first: live, draining, deaf, then silent. */
export function rankNodes(records: readonly SessionRecord[]): SessionRecord[] {
  const rank = { live: 0, draining: 1, deaf: 2, silent: 3, dead: 4 } as const;
  return records
    .filter((record) => record.state === 'live')
    .sort((a, b) => rank[stateOf(a)] - rank[stateOf(b)] || a.lastBeatAgoMs - b.lastBeatAgoMs);
}
