import { isBackplaneError } from '../../foundation/errors.ts';
import type { Leases } from '../../ports/leases.ts';
import type { DocumentDescription } from '../../runtime/controls.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import { askAnyNode, type ClusterDoor } from './ask-any-node.ts';
import { describeLease, type LeaseDescription } from './describe-lease.ts';

/** A document as the store has it, and who owns it now. */
export interface DocDescription {
  readonly doc: string;
  readonly seq: number;
  readonly epoch: number;
  /** The node fenced in last; null when it is not remembered. */
  readonly nodeId: string | null;
  readonly session: string;
  readonly snapshotSeq: number;
  /** The hash over the whole log: equal chains mean equal logs. */
  readonly chain: string;
  /** Null when nobody owns it. */
  readonly lease: LeaseDescription | null;
  /** Its content with the `json` engine, as far as the node gives it; else null. */
  readonly state: unknown;
}

export interface DocSources extends ClusterDoor {
  readonly leases: Leases;
}

/** One document by name. Acquires nothing. Throws DOCUMENT_UNKNOWN, NO_NODES. */
export async function describeDoc(
  sources: DocSources,
  doc: string,
  options: RequestOptions = {},
): Promise<DocDescription> {
  const described = (await askAnyNode(
    sources,
    'doc.describe',
    { doc },
    options,
  )) as DocumentDescription;
  const writer = await sources.sessions.read(described.writer);
  return {
    doc: described.doc,
    seq: described.seq,
    epoch: described.epoch,
    nodeId: writer?.description.nodeId ?? null,
    session: described.writer,
    snapshotSeq: described.snapshotSeq,
    chain: described.chain,
    lease: await leaseOrNull(sources, doc),
    state: stateValue(described.state),
  };
}

async function leaseOrNull(sources: DocSources, doc: string): Promise<LeaseDescription | null> {
  try {
    return await describeLease(sources, doc);
  } catch (error) {
    if (isBackplaneError(error, 'LEASE_UNKNOWN')) return null;
    throw error;
  }
}

/** A state that was cut to fit a frame is no JSON any more; it is shown as the text it is. */
function stateValue(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
