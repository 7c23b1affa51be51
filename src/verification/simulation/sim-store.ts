import { type MemoryLogs, MemoryStore } from '../../drivers/memory/memory-store.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { opIdOf } from '../../foundation/identifiers.ts';
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
import type { Coverage } from './coverage.ts';
import type { SimHistory } from './sim-history.ts';
import { type CallFate, SimLine } from './sim-line.ts';
import type { SimNetwork } from './sim-network.ts';
import type { SimProcess } from './sim-process.ts';

/** Shares of the calls to the store that meet a fault, while it is at fault. */
export interface StoreFaults {
  /** Fails before it did anything, and is sure of it. */
  refused: number;
  /** Carried out, and the answer is lost. */
  masked: number;
  /** Not carried out, and nobody knows. */
  vanished: number;
  /** Answered with an error at once, and carried out later. */
  late: number;
  lateMsMax: number;
  slow: number;
  slowMsMax: number;
}

export interface SimStoreParts {
  readonly process: SimProcess;
  readonly network: SimNetwork;
  readonly logs: MemoryLogs;
  readonly history: SimHistory;
  readonly random: Random;
  readonly coverage: Coverage;
  readonly faults: StoreFaults;
  readonly identity: string;
  /** Publishes an announcement in the step of the append; null for a store that does not. */
  readonly announce: ((channel: string, payload: Uint8Array) => void) | null;
}

const deadlineMs = 5_000;

/**
 * The store as one process reaches it: the memory driver's, at the other end of a network, failing as
 * stores fail. What it decides is told to the history in the step in which it is decided.
 */
export class SimStore implements InspectableStore {
  readonly volatile = false;
  readonly announces: boolean;
  readonly #parts: SimStoreParts;
  readonly #line: SimLine;
  readonly #store: MemoryStore;

  constructor(parts: SimStoreParts) {
    this.#parts = parts;
    this.announces = parts.announce !== null;
    this.#store = new MemoryStore(parts.logs);
    this.#line = new SimLine({
      process: parts.process,
      network: parts.network,
      place: 'store',
      deadlineMs,
      isUp: () => true,
      lost: () => unavailable('the store did not answer in time'),
    });
  }

  identity(): Promise<string> {
    return this.#line.call(() => this.#parts.identity);
  }

  fence(doc: string, session: string, expectedEpoch: number): Promise<StoreFenceAnswer> {
    return this.#write(async () => {
      const answer = await this.#store.fence(doc, session, expectedEpoch);
      const fenced = answer.status === 'fenced';
      const epoch = fenced ? answer.head.epoch : expectedEpoch + 1;
      const outcome = fenced ? 'ok' : 'conflict';
      this.#parts.history.record({ ev: 'store.fence', doc, session, epoch, outcome });
      return answer;
    });
  }

  append(append: Append): Promise<AppendAnswer> {
    const { history, coverage, announce } = this.#parts;
    return this.#write(async () => {
      const answer = await this.#store.append(append);
      const { doc, session, epoch, after, ops, announcement } = append;
      if (answer.status === 'fenced') coverage.add('appendsFenced');
      if (answer.status === 'conflict') coverage.add('appendsConflicting');
      const outcome = answer.status === 'appended' ? 'ok' : answer.status;
      const opIds = ops.map(({ peer, counter }) => opIdOf(peer, counter));
      const seq = after.seq + 1;
      history.record({ ev: 'store.append', doc, session, epoch, seq, opIds, outcome });
      if (outcome === 'ok' && announcement) announce?.(announcement.channel, announcement.payload);
      return answer;
    }, true);
  }

  head(doc: string): Promise<DocumentHead | null> {
    return this.#read(() => this.#store.head(doc));
  }

  read(doc: string, afterSeq: number, limit: number): Promise<StoredOp[]> {
    return this.#read(() => this.#store.read(doc, afterSeq, limit));
  }

  readSnapshot(doc: string): Promise<Snapshot | null> {
    return this.#read(() => this.#store.readSnapshot(doc));
  }

  saveSnapshot(doc: string, epoch: number, snapshot: Snapshot): Promise<boolean> {
    return this.#write(() => this.#store.saveSnapshot(doc, epoch, snapshot));
  }

  checkWritable(): Promise<void> {
    return this.#read(() => this.#store.checkWritable());
  }

  documents(from: string | null, limit: number): Promise<DocumentPage> {
    return this.#read(() => this.#store.documents(from, limit));
  }

  async close(): Promise<void> {}

  #read<T>(step: () => Promise<T>): Promise<T> {
    const { random, faults } = this.#parts;
    if (faults.refused > 0 && random.fraction() < faults.refused) {
      return this.#line.call(step, { refusal: unavailable('the store failed', 'definite') });
    }
    return this.#line.call(step, this.#slow());
  }

  #write<T>(step: () => Promise<T>, isAppend = false): Promise<T> {
    const fate = this.#fate();
    if (isAppend && (fate.mask || fate.early)) this.#parts.coverage.add('appendsAmbiguous');
    if (fate === vanishing) {
      if (isAppend) this.#parts.coverage.add('appendsAmbiguous');
      return this.#line.call<T>(() => Promise.reject(unavailable('the store failed')));
    }
    return this.#line.call(step, fate);
  }

  #fate(): CallFate {
    const { random, faults, coverage } = this.#parts;
    const { refused, masked, vanished, late, lateMsMax } = faults;
    if (refused + masked + vanished + late === 0) return this.#slow();
    let drawn = random.fraction();
    drawn -= refused;
    if (drawn < 0) {
      coverage.add('storeRefusals');
      return { refusal: refusalOf(random) };
    }
    drawn -= masked;
    if (drawn < 0) return { mask: unavailable('the store was lost while it answered') };
    drawn -= vanished;
    if (drawn < 0) return vanishing;
    drawn -= late;
    if (drawn < 0) {
      coverage.add('callsLate');
      const lateMs = random.fraction() ** 2 * lateMsMax;
      return { early: unavailable('the store was lost while it was asked'), lateMs };
    }
    return this.#slow();
  }

  #slow(): CallFate {
    const { random, faults } = this.#parts;
    if (faults.slow === 0 || random.fraction() >= faults.slow) return none;
    // Slow is still in order on its way, but what was sent later may be carried out first.
    return { lateMs: random.fraction() ** 2 * faults.slowMsMax };
  }
}

const none: CallFate = {};
const vanishing: CallFate = {};

function refusalOf(random: Random): BackplaneError {
  if (random.fraction() < 0.7) {
    return new BackplaneError('STORE_LOCKED', 'another program holds the store');
  }
  return unavailable('the store refuses connections', 'definite');
}

function unavailable(message: string, certainty?: 'definite'): BackplaneError {
  return new BackplaneError('STORE_UNAVAILABLE', message, certainty ? { certainty } : {});
}
