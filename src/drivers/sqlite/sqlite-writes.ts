import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BackplaneError } from '../../foundation/errors.ts';
import type { AppendAnswer, DocumentHead, StoreFenceAnswer } from '../../ports/store.ts';
import { unpackOps } from './packed-ops.ts';
import type { Takes } from './sqlite-calls.ts';
import { SqliteReads } from './sqlite-reads.ts';

/**
 * The writes of a store, each within a transaction that the caller holds from before the first
 * read: every condition is checked against what nobody else can change before the commit.
 */
export class SqliteWrites {
  readonly #reads: SqliteReads;
  readonly #findId: StatementSync;
  readonly #addDocument: StatementSync;
  readonly #fence: StatementSync;
  readonly #addOp: StatementSync;
  readonly #moveEnd: StatementSync;
  readonly #keepSnapshot: StatementSync;
  readonly #changeProbe: StatementSync;
  readonly #restoreProbe: StatementSync;

  constructor(db: DatabaseSync) {
    this.#reads = new SqliteReads(db);
    this.#findId = db.prepare('SELECT id FROM documents WHERE doc = ?');
    this.#addDocument = db.prepare(
      "INSERT INTO documents (doc, epoch, session, seq, chain) VALUES (?, 1, ?, 0, '')",
    );
    this.#fence = db.prepare('UPDATE documents SET epoch = ?, session = ? WHERE doc = ?');
    this.#addOp = db.prepare(
      `INSERT INTO ops (doc_id, seq, epoch, peer, counter, at, chain, payload)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#moveEnd = db.prepare('UPDATE documents SET seq = ?, chain = ? WHERE id = ?');
    this.#keepSnapshot = db.prepare(
      'INSERT OR REPLACE INTO snapshots (doc_id, seq, chain, data) VALUES (?, ?, ?, ?)',
    );
    this.#changeProbe = db.prepare('UPDATE probe SET data = randomblob(length(data))');
    this.#restoreProbe = db.prepare('UPDATE probe SET data = zeroblob(length(data))');
  }

  fence({ doc, session, expectedEpoch }: Takes<'fence'>): StoreFenceAnswer {
    const seen = this.#reads.head({ doc });
    const epoch = seen?.epoch ?? 0;
    if (epoch !== expectedEpoch) return { status: 'conflict', epoch };
    if (seen) this.#fence.run(epoch + 1, session, doc);
    else this.#addDocument.run(doc, session);
    const end = seen ?? { seq: 0, chain: '', snapshotSeq: 0 };
    const head: DocumentHead = { ...end, doc, session, epoch: epoch + 1 };
    const snapshot = head.snapshotSeq > 0 ? this.#reads.readSnapshot({ doc }) : null;
    return { status: 'fenced', head, snapshot };
  }

  append({ doc, epoch, session, after, ops }: Takes<'append'>): AppendAnswer {
    const head = this.#reads.head({ doc });
    if (!head || head.epoch !== epoch || head.session !== session) {
      return { status: 'fenced', epoch: head?.epoch ?? 0 };
    }
    if (head.seq !== after.seq || head.chain !== after.chain) {
      return { status: 'conflict', end: { seq: head.seq, chain: head.chain } };
    }
    const id = this.#idOf(doc);
    let end = after;
    for (const op of unpackOps(ops)) {
      const { seq, peer, counter, at, chain, payload } = op;
      this.#addOp.run(id, seq, op.epoch, peer, counter, at, chain, payload);
      end = { seq, chain };
    }
    this.#moveEnd.run(end.seq, end.chain, id);
    return { status: 'appended' };
  }

  saveSnapshot({ doc, epoch, snapshot }: Takes<'saveSnapshot'>): boolean {
    const head = this.#reads.head({ doc });
    if (!head || head.epoch !== epoch || head.snapshotSeq >= snapshot.seq) return false;
    this.#keepSnapshot.run(this.#idOf(doc), snapshot.seq, snapshot.chain, snapshot.data);
    return true;
  }

  /** Pages that were changed are written and synced, though in the end they are as before. */
  checkWritable(): null {
    const { changes } = this.#changeProbe.run();
    if (changes !== 1) throw new BackplaneError('STORE_CORRUPT', 'the store has lost its probe');
    this.#restoreProbe.run();
    return null;
  }

  #idOf(doc: string): number {
    return Number(this.#findId.get(doc)?.id);
  }
}
