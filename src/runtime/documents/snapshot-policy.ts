import { asBackplaneError } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { DocumentHead, Store } from '../../ports/store.ts';
import type { Counters } from '../counters.ts';
import type { NodeDials } from '../node-settings.ts';
import type { OwnedDocument } from './owned-document.ts';

export interface SnapshotPolicyParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly dials: NodeDials;
}

interface Dirty {
  ops: number;
  sinceMs: number;
  saving: boolean;
}

/**
 * Saves a snapshot after so many ops or so much time, whichever comes first. A snapshot only saves
 * time when a document is loaded, so one that fails is counted and tried again, nothing more.
 */
export class SnapshotPolicy {
  readonly #parts: SnapshotPolicyParts;
  /** In the order of becoming dirty, so only the first need looking at. */
  readonly #dirty = new Map<OwnedDocument, Dirty>();

  constructor(parts: SnapshotPolicyParts) {
    this.#parts = parts;
  }

  opened(document: OwnedDocument, head: DocumentHead): void {
    const ops = head.seq - head.snapshotSeq;
    if (ops > 0) this.#note(document, ops);
  }

  appended(document: OwnedDocument, ops: number): void {
    const dirty = this.#note(document, ops);
    if (dirty.ops >= this.#parts.dials.snapshotOps && !dirty.saving) void this.#save(document);
  }

  closed(document: OwnedDocument): void {
    this.#dirty.delete(document);
  }

  /** At a hand-over: a few ops are replayed faster than a snapshot is written. */
  async saveIfWorthIt(document: OwnedDocument): Promise<void> {
    const ops = this.#dirty.get(document)?.ops ?? 0;
    if (ops * 4 >= this.#parts.dials.snapshotOps) await this.#save(document);
  }

  async saveDue(): Promise<void> {
    const dueMs = this.#parts.clock.monotonicMs() - this.#parts.dials.snapshotMs;
    const due: OwnedDocument[] = [];
    for (const [document, { sinceMs, saving }] of this.#dirty) {
      if (sinceMs > dueMs || due.length >= 64) break;
      if (!saving) due.push(document);
    }
    await Promise.all(due.map((document) => this.#save(document)));
  }

  #note(document: OwnedDocument, ops: number): Dirty {
    let dirty = this.#dirty.get(document);
    if (!dirty) {
      dirty = { ops: 0, sinceMs: this.#parts.clock.monotonicMs(), saving: false };
      this.#dirty.set(document, dirty);
    }
    dirty.ops += ops;
    return dirty;
  }

  async #save(document: OwnedDocument): Promise<void> {
    const dirty = this.#dirty.get(document);
    if (!dirty) return;
    const { store, clock, counters, logger } = this.#parts;
    dirty.saving = true;
    const covered = dirty.ops;
    try {
      const snapshot = document.memory.toSnapshot(clock.wallMs());
      await store.saveSnapshot(document.doc, document.epoch, snapshot);
      counters.add('snapshots_saved_total');
      // Closed meanwhile: then it is nobody's business here any more.
      if (!this.#dirty.delete(document)) return;
      if (dirty.ops > covered) this.#note(document, dirty.ops - covered);
    } catch (thrown) {
      const { code, message } = asBackplaneError(thrown);
      counters.add('snapshots_failed_total');
      logger.event('warn', 'snapshot.failed', { doc: document.doc, code, message });
      // Due again after a whole period, or every append would try.
      dirty.ops = 0;
      dirty.sinceMs = clock.monotonicMs();
    } finally {
      dirty.saving = false;
    }
  }
}
