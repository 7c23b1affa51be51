import { BackplaneError } from '../../foundation/errors.ts';
import { dials } from '../../foundation/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FollowFrom } from '../../runtime/reports.ts';
import type { ClusterDoor } from './ask-any-node.ts';
import { DocumentTail, readLogEnd } from './document-tail.ts';
import type { TailLine } from './tail-line.ts';
import { TailQueue } from './tail-queue.ts';
import { watchOutage } from './watch-outage.ts';

export interface FollowParts extends ClusterDoor {
  readonly clock: Clock;
}

export interface FollowOptions {
  /** Ops after this seq are read from the log first; absent starts with what comes. */
  readonly since?: number | undefined;
  readonly signal?: AbortSignal;
  /** How long the backplane may be out of reach before it is an error. */
  readonly outageMsMax?: number;
  /** Told once for each document that nobody has written yet. */
  readonly onUnknown?: (doc: string) => void | Promise<void>;
}

/**
 * Follows documents: ops in the order of each document without a gap, awareness, changes of
 * owner. A slow reader loses no op, because what does not fit in memory is read again from the
 * log; it may lose awareness, and is told so. Ends when the signal is aborted; throws what ends a
 * feed by itself: NO_NODES, LOG_REWOUND, BACKPLANE_UNREACHABLE. Acquires nothing.
 */
export async function* followDocuments(
  parts: FollowParts,
  docs: readonly string[],
  options: FollowOptions = {},
): AsyncGenerator<TailLine> {
  const queue = new TailQueue();
  const end = () => queue.end(null);
  options.signal?.addEventListener('abort', end, { once: true });
  const tails: DocumentTail[] = [];
  const { outageMsMax = dials.requestTimeoutMs } = options;
  const outage = watchOutage(parts, outageMsMax, (error) => queue.end(error));
  try {
    for (const doc of new Set(docs)) {
      const from = await startOf(parts, doc, options);
      if (options.signal?.aborted) return;
      const tail = new DocumentTail(parts, doc, queue);
      tails.push(tail);
      tail.start(from);
    }
    while (await queue.ready()) {
      for (let line = queue.take(); line !== null; line = queue.take()) yield line;
    }
  } finally {
    end();
    outage.cancel();
    options.signal?.removeEventListener('abort', end);
    await Promise.all(tails.map((tail) => tail.stop()));
  }
}

async function startOf(
  parts: FollowParts,
  doc: string,
  options: FollowOptions,
): Promise<FollowFrom> {
  const end = await readLogEnd(parts, doc);
  const { since } = options;
  if (since !== undefined && since > (end?.seq ?? 0)) {
    throw new BackplaneError(
      'USAGE',
      `the log of "${doc}" ends at ${end?.seq ?? 0}, before ${since}`,
      {
        remedy: 'leave --since out to follow what comes',
        facts: { doc, seq: end?.seq ?? 0, since },
      },
    );
  }
  if (end) return since ?? 'now';
  await options.onUnknown?.(doc);
  // Nobody wrote it yet, so "from now" is the beginning: the first op must not slip through.
  return 0;
}
