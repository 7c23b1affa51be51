import { type BackplaneClient, connect, type DocumentHandle } from '../../../client/index.ts';
import { asBackplaneError, BackplaneError } from '../../../foundation/errors.ts';
import { type Clock, sleep } from '../../../ports/clock.ts';

export interface ClaimOptions {
  readonly urls: readonly string[];
  readonly token: string | null;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  claimed(): void;
}

const atOnce = 64;
const askMs = 5_000;
const pauseMs = 100;
/** Of one document: nodes that just started may need a moment. */
const claimMsMax = 30_000;

/** Gives every document an owner: the node that is asked for it first. The nodes are asked in turn. */
export async function claimDocuments(
  docs: readonly string[],
  options: ClaimOptions,
): Promise<void> {
  const { urls, token, clock } = options;
  const clients = urls.map((_, turn) => connect({ urls: rotated(urls, turn), token, clock }));
  try {
    await Promise.all(clients.map((client) => client.connected()));
    const waiting = docs.entries();
    const claimAll = async () => {
      for (const [index, doc] of waiting) {
        if (options.signal.aborted) return;
        await claim(doc, clients[index % clients.length] as BackplaneClient, options);
        options.claimed();
      }
    };
    await Promise.all(Array.from({ length: atOnce }, claimAll));
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

async function claim(doc: string, client: BackplaneClient, options: ClaimOptions): Promise<void> {
  const handle = client.open(doc);
  try {
    await askUntilAnswered(handle, options);
  } finally {
    handle.close();
  }
}

async function askUntilAnswered(
  handle: DocumentHandle,
  { clock, signal }: ClaimOptions,
): Promise<void> {
  const untilMs = clock.monotonicMs() + claimMsMax;
  while (!signal.aborted) {
    try {
      await handle.rpc('ping', null, { timeoutMs: askMs });
      return;
    } catch (thrown) {
      const error = asBackplaneError(thrown);
      if (clock.monotonicMs() > untilMs) {
        const why = `no node took ${handle.doc}: ${error.message}`;
        throw new BackplaneError('INCONCLUSIVE', why, { cause: error });
      }
      await sleep(clock, pauseMs, signal);
    }
  }
}

/** The same list, beginning elsewhere. */
export function rotated<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
