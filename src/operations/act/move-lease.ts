import type { RequestOptions } from '../../runtime/reports.ts';
import { findLiveSession } from '../inspect/find-session.ts';
import type { OwnershipReport } from './acquire-lease.ts';
import { askOwner, type OwnershipDoor } from './ask-owner.ts';

/** Who owns the document now, and who did before. */
export interface MoveReport extends OwnershipReport {
  readonly fromNodeId: string;
  readonly fromSession: string;
  /** False when the node owned it already. */
  readonly moved: boolean;
}

/**
 * Hands a document from its owner to another node, with no request lost on the way. Throws
 * LEASE_UNKNOWN, NODE_UNKNOWN, NODE_DEAD.
 */
export async function moveLease(
  door: OwnershipDoor,
  doc: string,
  to: string,
  options: RequestOptions = {},
): Promise<MoveReport> {
  const target = await findLiveSession(door.sessions, to);
  const params = { doc, session: target.id };
  const { owner, answer } = await askOwner(door, doc, 'lease.move', params, options);
  const { nodeId, session, epoch } = answer as OwnershipReport;
  return {
    doc,
    nodeId,
    session,
    epoch,
    fromNodeId: owner.description.nodeId,
    fromSession: owner.id,
    moved: owner.id !== session,
  };
}
