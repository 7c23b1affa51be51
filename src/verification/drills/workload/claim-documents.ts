import { type BackplaneClient, connect } from '../../../client/index.ts';
import { asBackplaneError, BackplaneError } from '../../../foundation/errors.ts';
import type { LoadSite } from './load-site.ts';

export interface ClaimOptions {
  readonly urls: readonly string[];
  readonly token: string | null;
  readonly site: LoadSite;
  readonly signal: AbortSignal;
  claimed(): void;
}

const atOnce = 128;
/** Of one document: nodes that just started may need a moment. */
const claimMsMax = 30_000;

/**
 * Gives every document an owner, by its first op: nobody owns what was never written. The nodes
 * are given them in turn.
 */
export async function claimDocuments(
  docs: readonly string[],
  options: ClaimOptions,
): Promise<void> {
  const { urls, token, site, signal } = options;
  const clients = urls.map((_, turn) => {
    return connect({ urls: rotated(urls, turn), token, clock: site.clock });
  });
  const waiting = docs.entries();
  const claimAll = async () => {
    for (const [index, doc] of waiting) {
      if (signal.aborted) return;
      await claim(doc, clients[index % clients.length] as BackplaneClient, options);
      options.claimed();
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, claimAll));
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

/** Whatever goes wrong, the end of the handle ends the op. */
async function claim(doc: string, client: BackplaneClient, options: ClaimOptions): Promise<void> {
  const { recorder, counts, clock } = options.site;
  const handle = client.open(doc);
  const close = () => handle.close();
  const late = clock.after(claimMsMax, close);
  options.signal.addEventListener('abort', close, { once: true });
  let opId = '';
  const named = (name: string) => {
    opId = name;
    counts.sent += 1;
    recorder.record({ ev: 'op.invoke', doc, opId });
  };
  try {
    const { seq } = await handle.send({ claimed: true }, { named });
    counts.acknowledged += 1;
    recorder.record({ ev: 'op.ok', doc, opId, seq });
  } catch (thrown) {
    const error = asBackplaneError(thrown);
    const { code, certainty } = error;
    if (opId !== '') recorder.record({ ev: 'op.fail', doc, opId, code, certainty });
    if (options.signal.aborted) return;
    if (code !== 'CLOSED') throw error;
    const why = `no node took "${doc}" within 30 s: ${error.message}`;
    throw new BackplaneError('INCONCLUSIVE', why, { cause: error });
  } finally {
    late.cancel();
    options.signal.removeEventListener('abort', close);
    close();
  }
}

/** The same list, beginning elsewhere. */
export function rotated<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
