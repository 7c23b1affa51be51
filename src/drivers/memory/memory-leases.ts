import type {
  ClaimAnswer,
  LeaseConfirmation,
  LeaseNaming,
  LeaseRecord,
  Leases,
  SweepStep,
} from '../../ports/leases.ts';
import type { MemoryConnection } from './memory-connection.ts';

const sweptAtOnce = 1_000;

/** The directory as a map. A call is one step that nothing can come between. */
export class MemoryLeases implements Leases {
  readonly #connection: MemoryConnection;

  constructor(connection: MemoryConnection) {
    this.#connection = connection;
  }

  read(doc: string): Promise<LeaseRecord | null> {
    return this.#connection.call(({ directory }) => directory.get(doc));
  }

  claim(
    doc: string,
    seen: LeaseRecord | null,
    session: string,
    naming: LeaseNaming = 'anybody',
  ): Promise<ClaimAnswer> {
    return this.#connection.call(({ directory, sessions }): ClaimAnswer => {
      if (naming === 'living' && !sessions.lives(session)) return { status: 'dead' };
      const current = directory.get(doc);
      if (!same(current, seen)) return { status: 'conflict', current };
      const epoch = current?.epoch ?? 0;
      directory.set(doc, { session, epoch, state: 'claimed' });
      return { status: 'claimed', epoch };
    });
  }

  confirm(confirmation: LeaseConfirmation): Promise<'confirmed' | 'superseded'> {
    const { doc, session, claimedEpoch, epoch } = confirmation;
    return this.#connection.call(({ directory }) => {
      const claimed: LeaseRecord = { session, epoch: claimedEpoch, state: 'claimed' };
      if (!same(directory.get(doc), claimed)) return 'superseded';
      directory.set(doc, { session, epoch, state: 'held' });
      return 'confirmed';
    });
  }

  release(
    doc: string,
    session: string,
    epoch: number,
    successor: string | null,
    naming: LeaseNaming = 'anybody',
  ): Promise<boolean> {
    return this.#connection.call(({ directory, sessions }) => {
      const current = directory.get(doc);
      const mine = (['held', 'claimed'] as const).some((state) => {
        return same(current, { session, epoch, state });
      });
      if (!mine) return false;
      const isNobody = successor === null || (naming === 'living' && !sessions.lives(successor));
      if (isNobody) directory.remove(doc);
      else directory.set(doc, { session: successor, epoch, state: 'handed' });
      return true;
    });
  }

  sweep(session: string, _from: string | null): Promise<SweepStep> {
    return this.#connection.call(({ directory }) => {
      const some = [...directory.documentsOf(session)].slice(0, sweptAtOnce);
      for (const doc of some) directory.remove(doc);
      // What was removed is out of the way, so the next step starts where this one did.
      const isDone = directory.documentsOf(session).size === 0;
      return { removed: some.length, next: isDone ? null : session };
    });
  }
}

function same(one: LeaseRecord | null, other: LeaseRecord | null): boolean {
  if (one === null || other === null) return one === other;
  return one.session === other.session && one.epoch === other.epoch && one.state === other.state;
}
