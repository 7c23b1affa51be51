import type { DocumentHandle } from '../../../client/index.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { BenchTally } from '../bench-tally.ts';
import { type BenchGround, documentNames, type WorkPlan } from '../bench-work.ts';
import { BenchPeers } from './bench-peers.ts';

/** Documents with one who speaks in each, and others who hear it, on all nodes in turn. */
export class DeliveryGround {
  readonly speakers: readonly DocumentHandle[];
  readonly hearers: readonly DocumentHandle[];
  readonly #peers: readonly BenchPeers[];

  private constructor(
    speakers: readonly DocumentHandle[],
    hearers: readonly DocumentHandle[],
    peers: readonly BenchPeers[],
  ) {
    this.speakers = speakers;
    this.hearers = hearers;
    this.#peers = peers;
  }

  static async open(ground: BenchGround, plan: WorkPlan): Promise<DeliveryGround> {
    const docs = documentNames(plan);
    const speaking = BenchPeers.open(ground);
    // Two handles of one document need two connections.
    const hearing = BenchPeers.open(ground, Math.ceil(plan.followers / ground.urls.length));
    const peers = [speaking, hearing];
    await speaking.claim(docs, ground.signal);
    const hearers = docs.flatMap((doc, at) =>
      Array.from({ length: plan.followers }, (_, turn) => hearing.at(at + turn + 1).open(doc)),
    );
    const speakers = docs.map((doc, at) => speaking.at(at).open(doc));
    const opened = new DeliveryGround(speakers, hearers, peers);
    const { signal } = ground;
    const stop = () => void opened.close();
    signal.addEventListener('abort', stop, { once: true });
    await Promise.all([...hearers, ...speakers].map((handle) => joined(handle, signal)));
    return opened;
  }

  async close(): Promise<void> {
    for (const handle of [...this.speakers, ...this.hearers]) handle.close();
    await Promise.all(this.#peers.map((peers) => peers.close()));
  }
}

/** Tells the tally of what a hearer was told, when the speaker had put into it when it was due. */
export function arrived(message: unknown, tally: BenchTally, clock: Clock): void {
  const meantMs = (message as { readonly meantMs?: unknown } | null)?.meantMs;
  if (typeof meantMs === 'number') tally.succeeded(meantMs, clock.monotonicMs());
}

function joined(handle: DocumentHandle, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (handle.seq !== null || signal.aborted) return resolve();
    handle.on('joined', () => resolve());
    handle.on('lost', reject);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
