import type { LeaseRecord } from '../../ports/leases.ts';

/** Records by document, and by session, so that a sweep looks only at what it removes. */
export class MemoryDirectory {
  readonly #records = new Map<string, LeaseRecord>();
  readonly #documentsOf = new Map<string, Set<string>>();

  get(doc: string): LeaseRecord | null {
    return this.#records.get(doc) ?? null;
  }

  set(doc: string, record: LeaseRecord): void {
    this.#forgetOwner(doc);
    this.#records.set(doc, record);
    const documents = this.#documentsOf.get(record.session) ?? new Set();
    this.#documentsOf.set(record.session, documents.add(doc));
  }

  remove(doc: string): void {
    this.#forgetOwner(doc);
    this.#records.delete(doc);
  }

  /** In the order of their making; records that come and go meanwhile may be in it or not. */
  entries(): IterableIterator<[string, LeaseRecord]> {
    return this.#records.entries();
  }

  documentsOf(session: string): ReadonlySet<string> {
    return this.#documentsOf.get(session) ?? new Set();
  }

  copy(): MemoryDirectory {
    const copy = new MemoryDirectory();
    for (const [doc, record] of this.#records) copy.set(doc, record);
    return copy;
  }

  #forgetOwner(doc: string): void {
    const session = this.#records.get(doc)?.session;
    if (session === undefined) return;
    const documents = this.#documentsOf.get(session);
    documents?.delete(doc);
    if (documents?.size === 0) this.#documentsOf.delete(session);
  }
}
