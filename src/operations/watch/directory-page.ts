import type { DocumentPage } from '../../ports/inspector.ts';
import type { LeaseRecord, Leases } from '../../ports/leases.ts';
import type { SessionRecord } from '../../ports/sessions.ts';
import { askAnyNode, type ClusterDoor } from '../inspect/ask-any-node.ts';
import { type LeaseReportState, reportLease } from '../inspect/list-leases.ts';

/** A document of the store, and who owns it: `free` when nobody does. */
export interface DirectoryRow {
  readonly doc: string;
  readonly state: LeaseReportState | 'free';
  readonly nodeId: string | null;
  readonly session: string | null;
  readonly epoch: number;
  readonly seq: number;
  readonly snapshotSeq: number;
  readonly expiresInMs: number | null;
}

export interface DirectoryPage {
  readonly rows: readonly DirectoryRow[];
  /** Where the next page begins; null at the end. */
  readonly next: string | null;
}

export interface DirectorySources extends ClusterDoor {
  readonly leases: Leases;
}

export interface DirectoryQuery {
  /** The name after which the page begins; null for the first. */
  readonly from: string | null;
  /** Only names that begin so. */
  readonly prefix: string;
  readonly limit: number;
}

const timeoutMs = 2_500;

/**
 * A slice of all documents in the order of their names, through a live node, with the lease of
 * each. It costs what it shows, not what there is. Acquires nothing. Throws NO_NODES.
 */
export async function readDirectoryPage(
  sources: DirectorySources,
  { from, prefix, limit }: DirectoryQuery,
): Promise<DirectoryPage> {
  const start = from ?? (prefix === '' ? null : justBefore(prefix));
  const params = { from: start, limit };
  const page = (await askAnyNode(sources, 'docs.page', params, { timeoutMs })) as DocumentPage;
  const heads = page.documents.filter(({ doc }) => doc.startsWith(prefix));
  const leases = await Promise.all(heads.map(({ doc }) => sources.leases.read(doc)));
  const owners = await ownersOf(sources, leases);
  const rows = heads.map((head, at) => {
    const { doc, seq, snapshotSeq, epoch } = head;
    const lease = leases[at] ?? null;
    if (!lease) return free(doc, { seq, snapshotSeq, epoch });
    const report = reportLease({ doc, ...lease }, owners.get(lease.session) ?? null);
    return { ...report, epoch: Math.max(report.epoch, epoch), seq, snapshotSeq };
  });
  // Past the last name with the prefix there is nothing more to show.
  const ended = heads.length < page.documents.length;
  return { rows, next: ended ? null : page.next };
}

async function ownersOf(
  { sessions }: DirectorySources,
  leases: readonly (LeaseRecord | null)[],
): Promise<Map<string, SessionRecord | null>> {
  const ids = new Set(leases.flatMap((lease) => (lease ? [lease.session] : [])));
  const read = await Promise.all(
    [...ids].map(async (id) => [id, await sessions.read(id)] as const),
  );
  return new Map(read);
}

function free(
  doc: string,
  head: { readonly seq: number; readonly snapshotSeq: number; readonly epoch: number },
): DirectoryRow {
  return { doc, state: 'free', nodeId: null, session: null, expiresInMs: null, ...head };
}

/** The greatest name before all that begin so; a page begins after a name, and would miss the first. */
function justBefore(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1);
  if (last <= 0x21 || last > 0x7e) return prefix;
  return `${prefix.slice(0, -1)}${String.fromCharCode(last - 1)}\u{10ffff}`;
}
