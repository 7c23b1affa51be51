import { BackplaneError } from '../../foundation/errors.ts';
import { checkDocumentName } from '../../foundation/identifiers.ts';
import type { Store } from '../../ports/store.ts';
import type { DocumentState } from '../reports.ts';
import type { DocumentEngine } from './document-engine.ts';
import { loadDocument } from './load-document.ts';

/** Folds snapshot and log of a document; acquires nothing. Throws DOCUMENT_UNKNOWN. */
export async function readDocumentState(
  store: Store,
  engine: DocumentEngine,
  doc: string,
): Promise<DocumentState> {
  checkDocumentName(doc);
  const head = await store.head(doc);
  if (!head) throw new BackplaneError('DOCUMENT_UNKNOWN', `there is no document "${doc}"`);
  const snapshot = head.snapshotSeq > 0 ? await store.readSnapshot(doc) : null;
  // The snapshot may be newer than the head read before it.
  const end = snapshot && snapshot.seq > head.seq ? { ...head, ...snapshot } : head;
  const memory = await loadDocument(store, engine, end, snapshot);
  return { doc, seq: memory.end.seq, epoch: head.epoch, state: memory.state() };
}
