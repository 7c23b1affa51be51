import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { limits } from '../../foundation/limits.ts';
import type { DocumentPage } from '../../ports/inspector.ts';
import type { DocumentHead, Snapshot, StoredOp } from '../../ports/store.ts';
import { type PackedOps, packOps } from './packed-ops.ts';
import type { Takes } from './sqlite-calls.ts';
import { SqliteRow } from './sqlite-row.ts';

/** Reading stops after this much payload, so that no answer grows beyond one append and a half. */
const readBytesMax = limits.appendBytesMax;
const documentsPageMax = 1_000;

const headSql = `
  SELECT documents.*, coalesce(snapshots.seq, 0) AS snapshotSeq
  FROM documents LEFT JOIN snapshots ON snapshots.doc_id = documents.id
`;

/** The reads of a store, on a connection of their own or within a write. */
export class SqliteReads {
  readonly #head: StatementSync;
  readonly #ops: StatementSync;
  readonly #snapshot: StatementSync;
  readonly #page: StatementSync;

  constructor(db: DatabaseSync) {
    this.#head = db.prepare(`${headSql} WHERE doc = ?`);
    this.#ops = db.prepare(
      `SELECT ops.* FROM ops JOIN documents ON documents.id = ops.doc_id
       WHERE documents.doc = ? AND ops.seq > ? ORDER BY ops.seq LIMIT ?`,
    );
    this.#snapshot = db.prepare(
      `SELECT snapshots.* FROM snapshots JOIN documents ON documents.id = snapshots.doc_id
       WHERE documents.doc = ?`,
    );
    this.#page = db.prepare(`${headSql} WHERE doc > ? ORDER BY doc LIMIT ?`);
  }

  head({ doc }: Takes<'head'>): DocumentHead | null {
    const found = this.#head.get(doc);
    return found ? headOf(found) : null;
  }

  read({ doc, afterSeq, limit }: Takes<'read'>): PackedOps {
    const ops: StoredOp[] = [];
    let bytes = 0;
    for (const found of this.#ops.iterate(doc, afterSeq, Math.min(limit, limits.readOpsMax))) {
      const op = opOf(doc, afterSeq + ops.length + 1, found);
      ops.push(op);
      bytes += op.payload.byteLength;
      if (bytes >= readBytesMax) break;
    }
    return packOps(ops);
  }

  readSnapshot({ doc }: Takes<'readSnapshot'>): Snapshot | null {
    const found = this.#snapshot.get(doc);
    if (!found) return null;
    const row = new SqliteRow(`the snapshot of ${JSON.stringify(doc)}`, found);
    return { seq: row.count('seq'), chain: row.text('chain'), data: row.bytes('data') };
  }

  documents({ from, limit }: Takes<'documents'>): DocumentPage {
    const count = Math.min(limit, documentsPageMax);
    // No document has an empty name, so all of them come after it.
    const documents = this.#page.all(from ?? '', count).map(headOf);
    const next = documents.length === count ? (documents.at(-1)?.doc ?? null) : null;
    return { documents, next };
  }
}

function headOf(found: Readonly<Record<string, unknown>>): DocumentHead {
  const row = new SqliteRow(`the document ${JSON.stringify(found.doc)}`, found);
  return {
    doc: row.text('doc'),
    epoch: row.count('epoch'),
    session: row.text('session'),
    seq: row.count('seq'),
    chain: row.text('chain'),
    snapshotSeq: row.count('snapshotSeq'),
  };
}

function opOf(
  doc: string,
  expectedSeq: number,
  found: Readonly<Record<string, unknown>>,
): StoredOp {
  const row = new SqliteRow(`op ${expectedSeq} of ${JSON.stringify(doc)}`, found);
  const seq = row.count('seq');
  // The log runs without a gap, so an op that is missing was lost by the file.
  if (seq !== expectedSeq) row.fail('seq');
  return {
    seq,
    epoch: row.count('epoch'),
    peer: row.text('peer'),
    counter: row.count('counter'),
    at: row.number('at'),
    chain: row.text('chain'),
    payload: row.bytes('payload'),
  };
}
