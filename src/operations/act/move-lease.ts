import type { SessionRecord } from '../../ports/sessions.ts';
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
  const lease = await door.leases.read(doc);
  if (lease?.state === 'held' && lease.session === target.id) {
    return unmoved(doc, lease.epoch, target);
  }
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
    moved: true,
  };
}

/** Handing a document to oneself would only cost its readers an epoch. */
function unmoved(doc: string, epoch: number, { id, description }: SessionRecord): MoveReport {
  const { nodeId } = description;
  return { doc, nodeId, session: id, epoch, fromNodeId: nodeId, fromSession: id, moved: false };
}
