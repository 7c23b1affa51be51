import { BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import type { Leases } from '../../ports/leases.ts';
import type { SessionRecord } from '../../ports/sessions.ts';
import type { ControlName } from '../../runtime/controls.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { ClusterDoor } from '../inspect/ask-any-node.ts';

export interface OwnershipDoor extends ClusterDoor {
  readonly leases: Leases;
}

export interface OwnerAnswer {
  readonly owner: SessionRecord;
  readonly answer: unknown;
}

/** Ownership may move between looking and asking, so the owner is looked up anew this often. */
const lookUpsMax = 3;

/**
 * Asks the owner of a document. Throws LEASE_UNKNOWN when nobody owns it, NODE_DEAD when its owner
 * died and nobody took it yet.
 */
export async function askOwner(
  door: OwnershipDoor,
  doc: string,
  control: ControlName,
  params: unknown,
  options: RequestOptions = {},
): Promise<OwnerAnswer> {
  for (let lookUp = 1; ; lookUp++) {
    const owner = await findOwner(door, doc);
    try {
      return { owner, answer: await door.visitor.control(owner.id, control, params, options) };
    } catch (error) {
      if (!isBackplaneError(error, 'NOT_OWNER') || lookUp >= lookUpsMax) throw error;
    }
  }
}

/** The live session that owns a document. */
export async function findOwner(door: OwnershipDoor, doc: string): Promise<SessionRecord> {
  const lease = await door.leases.read(doc);
  if (!lease) {
    throw new BackplaneError('LEASE_UNKNOWN', `nobody owns "${doc}"`, {
      remedy: `let a node take it: backplane lease acquire ${doc}`,
      facts: { doc },
    });
  }
  const owner = await door.sessions.read(lease.session);
  if (owner?.state === 'live') return owner;
  const nodeId = owner?.description.nodeId ?? null;
  throw new BackplaneError(
    'NODE_DEAD',
    `the owner of "${doc}" is dead (${nodeId ?? `session ${lease.session}`})`,
    {
      remedy: `the next op or request takes it over: backplane lease acquire ${doc}`,
      facts: { doc, nodeId, session: lease.session },
    },
  );
}
