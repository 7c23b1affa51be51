import { BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import { type Clock, repeat } from '../../ports/clock.ts';
import type { BackplaneNode } from '../../runtime/node.ts';
import type { OwnershipReport } from './acquire-lease.ts';

export interface HoldParts {
  readonly node: Pick<BackplaneNode, 'nodeId' | 'acquire' | 'release' | 'ownedEpoch'>;
  readonly clock: Clock;
}

/** Asking the node costs nothing: it looks at its own deadline, not at the network. */
const lookMs = 50;

/**
 * Runs something while a node of this process owns a document, and gives the document up at the
 * end. `lost` is aborted at the latest 50 ms after the node could not prove its ownership any
 * more, which is before anybody else can have taken it; then LEASE_LOST is thrown when `during`
 * has ended. Throws LEASE_HELD when somebody else owns the document.
 */
export async function holdLease<T>(
  { node, clock }: HoldParts,
  doc: string,
  during: (held: OwnershipReport, lost: AbortSignal) => Promise<T>,
): Promise<T> {
  const { epoch, session } = await node.acquire(doc);
  const losing = new AbortController();
  const look = () => {
    if (node.ownedEpoch(doc) !== epoch) losing.abort();
  };
  const looking = repeat(clock, () => lookMs, look);
  try {
    const result = await during({ doc, nodeId: node.nodeId, session, epoch }, losing.signal);
    look();
    if (losing.signal.aborted) throw lost(doc, epoch);
    return result;
  } catch (error) {
    throw losing.signal.aborted ? lost(doc, epoch, error) : error;
  } finally {
    looking.cancel();
    if (!losing.signal.aborted) await giveUp(node, doc);
  }
}

async function giveUp(node: HoldParts['node'], doc: string): Promise<void> {
  try {
    await node.release(doc);
  } catch (error) {
    // Lost in the last moment: there is nothing left to give up.
    if (!isBackplaneError(error, 'NOT_OWNER')) throw error;
  }
}

function lost(doc: string, epoch: number, cause?: unknown): BackplaneError {
  if (isBackplaneError(cause, 'LEASE_LOST')) return cause;
  return new BackplaneError('LEASE_LOST', `the lease of "${doc}" at epoch ${epoch} was lost`, {
    cause,
    remedy: `see who has it now: backplane inspect lease ${doc}`,
    facts: { doc, epoch },
  });
}
