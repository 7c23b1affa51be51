import type {
  DeathCause,
  FenceAnswer,
  RenewalAnswer,
  SessionOpening,
  SessionRecord,
  SessionRenewal,
  Sessions,
} from '../../ports/sessions.ts';
import type { MemoryConnection } from './memory-connection.ts';

/** Sessions in the broker's book. Its clock alone decides expiry, whenever somebody asks. */
export class MemorySessions implements Sessions {
  readonly #connection: MemoryConnection;

  constructor(connection: MemoryConnection) {
    this.#connection = connection;
  }

  open(opening: SessionOpening): Promise<{ boot: string }> {
    const copy = structuredClone(opening);
    return this.#connection.call(({ sessions }) => {
      sessions.open(copy);
      return { boot: sessions.boot };
    });
  }

  renew(renewal: SessionRenewal): Promise<RenewalAnswer> {
    const copy = structuredClone(renewal);
    return this.#connection.call(({ sessions }) => sessions.renew(copy));
  }

  fence(id: string, expectedBeat: number, why: DeathCause): Promise<FenceAnswer> {
    return this.#connection.call(({ sessions }) => sessions.fence(id, expectedBeat, why));
  }

  read(id: string): Promise<SessionRecord | null> {
    return this.#connection.call(({ sessions }) => structuredClone(sessions.read(id)));
  }

  list(): Promise<SessionRecord[]> {
    return this.#connection.call(({ sessions }) => structuredClone(sessions.list()));
  }

  takeSweep(lendMs: number): Promise<string | null> {
    return this.#connection.call(({ sessions }) => sessions.takeSweep(lendMs));
  }

  finishSweep(id: string): Promise<void> {
    return this.#connection.call(({ sessions }) => sessions.finishSweep(id));
  }
}
