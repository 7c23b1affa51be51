import { BackplaneError } from '../../foundation/errors.ts';
import type { Leases } from '../../ports/leases.ts';
import type { Sessions } from '../../ports/sessions.ts';
import { type LeaseReport, reportLease } from './list-leases.ts';
import { type NodeState, stateOf } from './list-nodes.ts';

/** One lease with what decides its fate: the standing of its owner. */
export interface LeaseDescription extends LeaseReport {
  /** Null when the session is not remembered any more. */
  readonly ownerState: NodeState | null;
  readonly ownerAddress: string | null;
  readonly ownerLastBeatAgoMs: number | null;
}

export interface OwnershipSources {
  readonly leases: Leases;
  readonly sessions: Sessions;
}

/** Who owns a document. Looking never acquires. Throws LEASE_UNKNOWN. */
export async function describeLease(
  sources: OwnershipSources,
  doc: string,
): Promise<LeaseDescription> {
  const record = await sources.leases.read(doc);
  if (!record) {
    throw new BackplaneError('LEASE_UNKNOWN', `nobody owns "${doc}"`, { facts: { doc } });
  }
  const owner = await sources.sessions.read(record.session);
  return {
    ...reportLease({ doc, ...record }, owner),
    ownerState: owner ? stateOf(owner) : null,
    ownerAddress: owner?.description.address ?? null,
    ownerLastBeatAgoMs: owner?.lastBeatAgoMs ?? null,
  };
}
