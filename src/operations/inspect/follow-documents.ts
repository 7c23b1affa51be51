import { asBackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { askAnyNode, type ClusterDoor } from './ask-any-node.ts';
import { DocumentTail } from './document-tail.ts';
import type { TailLine } from './tail-line.ts';
import { TailQueue } from './tail-queue.ts';

export interface FollowParts extends ClusterDoor {
  readonly clock: Clock;
}

export interface FollowOptions {
  /** Ops after this seq are read from the log first; null or absent starts with what comes. */
  readonly since?: number | null;
  readonly signal?: AbortSignal;
  /** Told once for each document that nobody has written yet. */
  readonly onUnknown?: (doc: string) => void;
}

/**
 * Follows documents: ops in the order of each document without a gap, awareness, changes of
 * owner. A slow reader loses no op, because what does not fit in memory is read again from the
 * log; it may lose awareness, and is told how much. Ends when the signal is aborted; throws what
 * ends a feed by itself: NO_NODES, LOG_REWOUND. Acquires nothing.
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
  try {
    for (const doc of new Set(docs)) {
      if (options.signal?.aborted) return;
      const exists = await isWritten(parts, doc, options);
      if (!exists) options.onUnknown?.(doc);
      // Nobody wrote it yet, so "from now" is the beginning: the first op must not slip through.
      const from = options.since ?? (exists ? 'now' : 0);
      const tail = new DocumentTail(parts, doc, queue);
      tails.push(tail);
      tail.start(from);
    }
    while (await queue.ready()) {
      for (let line = queue.take(); line !== null; line = queue.take()) yield line;
      for (const tail of tails) tail.catchUp();
    }
  } finally {
    options.signal?.removeEventListener('abort', end);
    await Promise.all(tails.map((tail) => tail.stop()));
  }
}

async function isWritten(
  parts: FollowParts,
  doc: string,
  options: FollowOptions,
): Promise<boolean> {
  try {
    const signal = options.signal ? { signal: options.signal } : {};
    await askAnyNode(parts, 'doc.describe', { doc }, signal);
    return true;
  } catch (thrown) {
    if (isBackplaneError(thrown, 'DOCUMENT_UNKNOWN')) return false;
    throw asBackplaneError(thrown);
  }
}
