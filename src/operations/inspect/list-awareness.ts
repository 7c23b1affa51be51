import type { RequestOptions } from '../../runtime/reports.ts';
import type { ClusterDoor } from './ask-any-node.ts';
import { askEveryNode } from './ask-every-node.ts';
import { compareValues } from './row-filter.ts';
import { type ShownPayload, showPayload } from './show-payload.ts';

/** The state of one peer, as the node that has the peer knows it. */
export interface AwarenessReport extends ShownPayload {
  readonly doc: string;
  readonly peer: string;
  readonly nodeId: string;
  readonly clock: number;
  readonly bytes: number;
  /** Since it was sent to the other nodes last; null when it never was. */
  readonly sentAgoMs: number | null;
}

export interface AwarenessListing {
  readonly rows: readonly AwarenessReport[];
  readonly silent: readonly string[];
  /** Of how many states only the first of a node are listed. */
  readonly unlisted: number;
}

/** Every peer's state, of one document or of all. Throws NO_NODES. */
export async function listAwareness(
  door: ClusterDoor,
  doc: string | null,
  options: RequestOptions = {},
): Promise<AwarenessListing> {
  const { answers, silent } = await askEveryNode(door, 'awareness.list', { doc }, options);
  const rows = answers.flatMap(({ nodeId, answer }) => {
    const listed = (answer as { rows?: unknown }).rows;
    return Array.isArray(listed) ? listed.map((row) => reportOf(nodeId, row)) : [];
  });
  rows.sort((a, b) => compareValues(a.doc, b.doc) || compareValues(a.peer, b.peer));
  const unlisted = answers.reduce((sum, { answer }) => {
    return sum + Number((answer as { unlisted?: unknown }).unlisted ?? 0);
  }, 0);
  return { rows, silent, unlisted };
}

function reportOf(nodeId: string, row: unknown): AwarenessReport {
  const { doc, peer, clock, state, sentAgoMs } = row as Record<string, unknown>;
  const bytes = Buffer.from(String(state), 'base64');
  return {
    doc: String(doc),
    peer: String(peer),
    nodeId,
    clock: Number(clock),
    bytes: bytes.length,
    sentAgoMs: sentAgoMs === null ? null : Math.round(Number(sentAgoMs)),
    ...showPayload(bytes),
  };
}
