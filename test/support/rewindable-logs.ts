import { MemoryDocument } from '../../src/drivers/memory/memory-document.ts';
import { MemoryLogs } from '../../src/drivers/memory/memory-store.ts';

/** Logs that can lose their ends, as a store does that was put back to an older state. */
export class RewindableLogs extends MemoryLogs {
  readonly #replaced = new Map<string, MemoryDocument>();

  override get(doc: string): MemoryDocument | null {
    return this.#replaced.get(doc) ?? super.get(doc);
  }

  /** Keeps the ops up to `seq`, and the epoch unless another is given. Snapshots are gone. */
  rewind(doc: string, seq: number, epoch?: number): void {
    const old = this.get(doc);
    if (!old) throw new Error(`there is no log of "${doc}" to rewind`);
    const { session, epoch: oldEpoch } = old.head();
    const ops = [...old.opsAfter(0)].slice(0, seq);
    const kept = new MemoryDocument(doc);
    const epochKept = epoch ?? oldEpoch;
    for (let at = 0; at < epochKept; at++) kept.fence(session, at);
    if (ops.length > 0) {
      const after = { seq: 0, chain: '' };
      kept.append({ doc, epoch: epochKept, session, after, ops, announcement: null });
    }
    this.#replaced.set(doc, kept);
  }
}
