import { matchesGlob } from '../../foundation/glob.ts';
import { limits } from '../../foundation/limits.ts';
import type { DocumentPage } from '../../ports/inspector.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import { askAnyNode, type ClusterDoor } from './ask-any-node.ts';

/** One document of the store, owned now or not. */
export interface DocReport {
  readonly doc: string;
  readonly seq: number;
  readonly epoch: number;
  /** The node fenced in last, which may have died since; null when it is not remembered. */
  readonly nodeId: string | null;
  readonly session: string;
  readonly snapshotSeq: number;
}

export interface DocsQuery extends RequestOptions {
  readonly doc?: string;
}

/**
 * Every document of the store, in pages, read through a live node, because only nodes reach the
 * store. Acquires nothing. Throws NO_NODES.
 */
export async function* listDocs(
  door: ClusterDoor,
  query: DocsQuery = {},
): AsyncGenerator<DocReport[]> {
  const nodeIds = new Map(
    (await door.sessions.list()).map((record) => [record.id, record.description.nodeId]),
  );
  let from: string | null = null;
  do {
    const params = { from, limit: limits.readOpsMax };
    const page = (await askAnyNode(door, 'docs.page', params, query)) as DocumentPage;
    const rows = page.documents
      .filter((head) => query.doc === undefined || matchesGlob(query.doc, head.doc))
      .map((head) => ({
        doc: head.doc,
        seq: head.seq,
        epoch: head.epoch,
        nodeId: nodeIds.get(head.session) ?? null,
        session: head.session,
        snapshotSeq: head.snapshotSeq,
      }));
    if (rows.length > 0) yield rows;
    from = page.next;
  } while (from !== null);
}
