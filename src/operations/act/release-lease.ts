import type { RequestOptions } from '../../runtime/reports.ts';
import { askOwner, type OwnershipDoor } from './ask-owner.ts';

/** A document that nobody owns any more, and who owned it. */
export interface ReleaseReport {
  readonly doc: string;
  readonly nodeId: string;
  readonly session: string;
  /** The epoch that ended. */
  readonly epoch: number;
}

/** Makes the owner finish what is in flight and give the document up. Throws LEASE_UNKNOWN. */
export async function releaseLease(
  door: OwnershipDoor,
  doc: string,
  options: RequestOptions = {},
): Promise<ReleaseReport> {
  const { owner, answer } = await askOwner(door, doc, 'lease.release', { doc }, options);
  const { epoch } = answer as { epoch: number };
  return { doc, nodeId: owner.description.nodeId, session: owner.id, epoch };
}
