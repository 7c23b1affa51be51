import { createHash } from 'node:crypto';

/**
 * Extends a log's hash by one op. Two logs with one chain at one seq hold the same ops, so a store
 * that was put back to an older or another state is noticed.
 */
export function extendChain(
  chain: string,
  op: { readonly peer: string; readonly counter: number; readonly payload: Uint8Array },
): string {
  return createHash('sha256')
    .update(`${chain} ${op.peer}:${op.counter} `)
    .update(op.payload)
    .digest('hex')
    .slice(0, 16);
}
