import type {
  ClaimAnswer,
  LeaseConfirmation,
  LeaseRecord,
  Leases,
  SweepStep,
} from '../../ports/leases.ts';
import type { MemoryBroker } from './memory-broker.ts';

const sweepStepMax = 512;

/** The directory as a map; every change compares the whole record seen. */
export class MemoryLeases implements Leases {
  readonly #broker: MemoryBroker;

  constructor(broker: MemoryBroker) {
    this.#broker = broker;
  }

  async read(doc: string): Promise<LeaseRecord | null> {
    return this.#broker.leases.get(doc) ?? null;
  }

  async claim(doc: string, seen: LeaseRecord | null, session: string): Promise<ClaimAnswer> {
    const current = this.#broker.leases.get(doc) ?? null;
    if (!isSame(current, seen)) return { status: 'conflict', current };
    const epoch = seen?.epoch ?? 0;
    this.#broker.leases.set(doc, { session, epoch, state: 'claimed' });
    return { status: 'claimed', epoch };
  }

  async confirm(confirmation: LeaseConfirmation): Promise<'confirmed' | 'superseded'> {
    const { doc, session, claimedEpoch, epoch } = confirmation;
    const current = this.#broker.leases.get(doc) ?? null;
    if (!isSame(current, { session, epoch: claimedEpoch, state: 'claimed' })) return 'superseded';
    this.#broker.leases.set(doc, { session, epoch, state: 'held' });
    return 'confirmed';
  }

  async release(
    doc: string,
    session: string,
    epoch: number,
    successor: string | null,
  ): Promise<boolean> {
    const current = this.#broker.leases.get(doc) ?? null;
    if (!isSame(current, { session, epoch, state: 'held' })) return false;
    if (successor === null) this.#broker.leases.delete(doc);
    else this.#broker.leases.set(doc, { session: successor, epoch, state: 'handed' });
    return true;
  }

  async sweep(session: string, from: string | null): Promise<SweepStep> {
    const docs = [...this.#broker.leases.keys()].sort();
    const step = docs.filter((doc) => from === null || doc > from).slice(0, sweepStepMax);
    let removed = 0;
    for (const doc of step) {
      if (this.#broker.leases.get(doc)?.session !== session) continue;
      this.#broker.leases.delete(doc);
      removed += 1;
    }
    return { removed, next: step.length < sweepStepMax ? null : (step.at(-1) ?? null) };
  }
}

function isSame(one: LeaseRecord | null, other: LeaseRecord | null): boolean {
  if (!one || !other) return one === other;
  return one.session === other.session && one.epoch === other.epoch && one.state === other.state;
}
