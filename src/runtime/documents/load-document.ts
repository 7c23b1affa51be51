import { BackplaneError } from '../../foundation/errors.ts';
import { limits } from '../../foundation/limits.ts';
import type { DocumentHead, LogEnd, Snapshot, Store, StoredOp } from '../../ports/store.ts';
import { extendChain } from './chain.ts';
import type { DocumentEngine } from './document-engine.ts';
import { DocumentMemory } from './document-memory.ts';

/**
 * Snapshot plus log up to the head. A log that is shorter than its head, or of another chain, is an
 * error with the document in it, never a document with a hole.
 */
export async function loadDocument(
  store: Store,
  engine: DocumentEngine,
  head: DocumentHead,
  snapshot: Snapshot | null,
): Promise<DocumentMemory> {
  const memory = DocumentMemory.from(engine, head.doc, snapshot);
  while (memory.end.seq < head.seq) {
    const page = await store.read(head.doc, memory.end.seq, limits.readOpsMax);
    const wanted = page.filter((op) => op.seq <= head.seq);
    if (wanted.length === 0 || !continues(memory.end, wanted)) throw hole(head, memory.end);
    memory.apply(wanted);
  }
  if (memory.end.chain !== head.chain) throw hole(head, memory.end);
  return memory;
}

/** Op after op without a gap, each with the hash that its content gives. */
function continues(end: LogEnd, ops: readonly StoredOp[]): boolean {
  let { seq, chain } = end;
  return ops.every((op) => {
    seq += 1;
    chain = extendChain(chain, op);
    return op.seq === seq && op.chain === chain;
  });
}

/** What this node knows of a log's end must still be true of it; throws LOG_REWOUND. */
export function checkNotRewound(known: LogEnd | undefined, head: DocumentHead): void {
  const rewound =
    known && (head.seq < known.seq || (head.seq === known.seq && head.chain !== known.chain));
  if (!rewound) return;
  throw new BackplaneError(
    'LOG_REWOUND',
    `the log of "${head.doc}" ends at ${head.seq}; this node has seen op ${known.seq} of it`,
    { facts: { found: head.seq, known: known.seq } },
  );
}

function hole(head: DocumentHead, end: LogEnd): BackplaneError {
  return new BackplaneError(
    'LOG_REWOUND',
    `the log of "${head.doc}" should reach op ${head.seq} but breaks after ${end.seq}`,
    { facts: { found: end.seq, known: head.seq } },
  );
}
