import type { LeaseRecord, Leases } from '../../ports/leases.ts';

/** One record of the directory, as it was. */
export interface RemovedLease extends LeaseRecord {
  readonly doc: string;
}

export interface MendedLease extends RemovedLease {
  /** `changed`: it was not as it had been seen any more, so it was left alone. */
  readonly outcome: 'removed' | 'restored' | 'changed';
}

/**
 * Removes a record of the directory if it is still exactly the one seen. The directory is a hint:
 * a record that is missing costs the next request a look at the store, and nothing else.
 */
export async function removeLease(
  leases: Leases,
  seen: RemovedLease,
  token: string,
): Promise<MendedLease> {
  const { doc, session, epoch, state } = seen;
  // A record that was handed over can only be claimed; under a name that nobody has it is ours.
  const isHanded = state === 'handed';
  if (isHanded) {
    const { status } = await leases.claim(doc, { session, epoch, state }, token);
    if (status === 'conflict') return { ...seen, outcome: 'changed' };
  }
  const removed = await leases.release(doc, isHanded ? token : session, epoch, null);
  return { ...seen, outcome: removed ? 'removed' : 'changed' };
}

/** Puts a record back if there is none now. */
export async function restoreLease(leases: Leases, lost: RemovedLease): Promise<MendedLease> {
  const { doc, session, epoch, state } = lost;
  const { status } = await leases.claim(doc, null, session);
  if (status === 'conflict') return { ...lost, outcome: 'changed' };
  if (state !== 'claimed' || epoch > 0) {
    await leases.confirm({ doc, session, claimedEpoch: 0, epoch });
  }
  if (state === 'handed') await leases.release(doc, session, epoch, session);
  return { ...lost, outcome: 'restored' };
}
