import { BackplaneError } from '../../foundation/errors.ts';
import { limits } from '../../foundation/limits.ts';
import type { InspectableStore } from '../../ports/engine.ts';
import type { DocumentPage } from '../../ports/inspector.ts';
import type { Random } from '../../ports/random.ts';
import type {
  Append,
  AppendAnswer,
  DocumentHead,
  Snapshot,
  StoredOp,
  StoreFenceAnswer,
} from '../../ports/store.ts';

interface KeptDocument {
  epoch: number;
  session: string;
  readonly ops: StoredOp[];
  snapshot: Snapshot | null;
}

/** What a memory store keeps; several stores may be opened on it, one after another or at once. */
export class MemoryLogs {
  readonly documents = new Map<string, KeptDocument>();
  readonly identity: string;

  constructor(random: Random) {
    this.identity = random.token(10);
  }
}

/** Op logs in arrays: the plainest reading of the laws, gone with the process. */
export class MemoryStore implements InspectableStore {
  readonly volatile = true;
  readonly announces = false;
  readonly #logs: MemoryLogs;
  #closed = false;

  constructor(logs: MemoryLogs) {
    this.#logs = logs;
  }

  async identity(): Promise<string> {
    return this.#logs.identity;
  }

  async fence(doc: string, session: string, expectedEpoch: number): Promise<StoreFenceAnswer> {
    this.#check();
    const kept = this.#logs.documents.get(doc) ?? {
      epoch: 0,
      session: '',
      ops: [],
      snapshot: null,
    };
    if (kept.epoch !== expectedEpoch) return { status: 'conflict', epoch: kept.epoch };
    kept.epoch += 1;
    kept.session = session;
    this.#logs.documents.set(doc, kept);
    return { status: 'fenced', head: headOf(doc, kept), snapshot: kept.snapshot };
  }

  async append(append: Append): Promise<AppendAnswer> {
    this.#check();
    const kept = this.#logs.documents.get(append.doc);
    if (!kept || kept.epoch !== append.epoch || kept.session !== append.session) {
      return { status: 'fenced', epoch: kept?.epoch ?? 0 };
    }
    const { seq, chain } = headOf(append.doc, kept);
    if (seq !== append.after.seq || chain !== append.after.chain) {
      return { status: 'conflict', end: { seq, chain } };
    }
    for (const op of append.ops) kept.ops.push({ ...op, payload: copyOf(op.payload) });
    return { status: 'appended' };
  }

  async head(doc: string): Promise<DocumentHead | null> {
    this.#check();
    const kept = this.#logs.documents.get(doc);
    return kept ? headOf(doc, kept) : null;
  }

  async read(doc: string, afterSeq: number, limit: number): Promise<StoredOp[]> {
    this.#check();
    const ops = this.#logs.documents.get(doc)?.ops ?? [];
    return ops.slice(afterSeq, afterSeq + Math.min(limit, limits.readOpsMax));
  }

  async readSnapshot(doc: string): Promise<Snapshot | null> {
    this.#check();
    return this.#logs.documents.get(doc)?.snapshot ?? null;
  }

  async saveSnapshot(doc: string, epoch: number, snapshot: Snapshot): Promise<boolean> {
    this.#check();
    const kept = this.#logs.documents.get(doc);
    if (!kept || kept.epoch !== epoch || (kept.snapshot?.seq ?? -1) >= snapshot.seq) return false;
    kept.snapshot = { ...snapshot, data: copyOf(snapshot.data) };
    return true;
  }

  async documents(from: string | null, limit: number): Promise<DocumentPage> {
    this.#check();
    const names = [...this.#logs.documents.keys()].sort();
    const page = names.filter((name) => from === null || name > from).slice(0, limit);
    const documents = page.map((doc) => headOf(doc, this.#logs.documents.get(doc) as KeptDocument));
    return { documents, next: page.length < limit ? null : (page.at(-1) ?? null) };
  }

  async checkWritable(): Promise<void> {
    this.#check();
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #check(): void {
    if (this.#closed) throw new BackplaneError('CLOSED', 'the store was closed');
  }
}

function headOf(doc: string, kept: KeptDocument): DocumentHead {
  const last = kept.ops.at(-1);
  const { epoch, session, snapshot } = kept;
  const snapshotSeq = snapshot?.seq ?? 0;
  return { doc, epoch, session, seq: last?.seq ?? 0, chain: last?.chain ?? '', snapshotSeq };
}

function copyOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes);
}
