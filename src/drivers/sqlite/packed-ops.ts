import type { StoredOp } from '../../ports/store.ts';

/**
 * Ops with their payloads in one piece of memory that is handed to another thread, not copied.
 * A payload by itself is often a view into something large, all of which would be cloned.
 */
export interface PackedOps {
  readonly ops: readonly PackedOp[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** An op whose payload reaches from the end of the one before it to `end`. */
export type PackedOp = Omit<StoredOp, 'payload'> & { readonly end: number };

export function packOps(ops: readonly StoredOp[]): PackedOps {
  const bytes = new Uint8Array(ops.reduce((sum, op) => sum + op.payload.byteLength, 0));
  let end = 0;
  const packed = ops.map(({ seq, epoch, peer, counter, at, chain, payload }) => {
    bytes.set(payload, end);
    end += payload.byteLength;
    return { seq, epoch, peer, counter, at, chain, end };
  });
  return { ops: packed, bytes };
}

/** The payloads share the packed memory. */
export function* unpackOps({ ops, bytes }: PackedOps): Generator<StoredOp> {
  let start = 0;
  for (const { end, ...op } of ops) {
    yield { ...op, payload: bytes.subarray(start, end) };
    start = end;
  }
}

/** A copy in memory of its own, so that it can be handed to another thread. */
export function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  // Not `bytes.slice`: a Buffer's would be a view.
  return new Uint8Array(bytes);
}
