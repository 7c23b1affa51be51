import { BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import { type ClusterDoor, rankNodes } from '../inspect/ask-any-node.ts';
import { findLiveSession } from '../inspect/find-session.ts';

/** A document and who owns it after the act. */
export interface OwnershipReport {
  readonly doc: string;
  readonly nodeId: string;
  readonly session: string;
  readonly epoch: number;
}

export interface AcquireOptions extends RequestOptions {
  /** The node that shall own it; the fittest when absent. */
  readonly node?: string;
}

/**
 * Makes a node the owner of a document that nobody else owns. Throws LEASE_HELD with the owner,
 * NODE_UNKNOWN, NODE_DEAD, NO_NODES.
 */
export async function acquireLease(
  door: ClusterDoor,
  doc: string,
  options: AcquireOptions = {},
): Promise<OwnershipReport> {
  const session = options.node
    ? (await findLiveSession(door.sessions, options.node)).id
    : await fittest(door);
  try {
    const answer = await door.visitor.control(session, 'lease.acquire', { doc }, options);
    const { nodeId, session: owner, epoch } = answer as OwnershipReport;
    return { doc, nodeId, session: owner, epoch };
  } catch (error) {
    if (!isBackplaneError(error, 'LEASE_HELD')) throw error;
    throw await nameHolder(door, doc, error);
  }
}

/** The node only knows the holder's session; an operator knows nodes by name. */
async function nameHolder(
  door: ClusterDoor,
  doc: string,
  error: BackplaneError,
): Promise<BackplaneError> {
  const { session } = error.facts;
  const holder = typeof session === 'string' ? await door.sessions.read(session) : null;
  if (!holder) return error;
  const { nodeId } = holder.description;
  return new BackplaneError('LEASE_HELD', `"${doc}" is owned by ${nodeId}`, {
    cause: error,
    remedy: `hand it over: backplane lease move ${doc} --to NODE`,
    facts: { ...error.facts, doc, nodeId },
  });
}

async function fittest(door: ClusterDoor): Promise<string> {
  const first = rankNodes(await door.sessions.list())[0];
  if (!first) throw new BackplaneError('NO_NODES', 'no node of this cluster is alive');
  return first.id;
}
