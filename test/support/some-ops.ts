import type { NodeRuntime } from '../../src/runtime/node-runtime.ts';
import type { OpReceipt, OpSubmission, RequestOptions } from '../../src/runtime/reports.ts';
import type { Visitor } from '../../src/runtime/visitor.ts';

export const bytes = (text: string) => new TextEncoder().encode(text);
export const text = (payload: Uint8Array) => Buffer.from(payload).toString('utf8');

/** An op of a peer that says which it is. */
export function op(peer: string, counter: number, value: unknown = counter): OpSubmission {
  return { peer, counter, payload: bytes(JSON.stringify({ [peer]: value })) };
}

/** Ops 1 to `last` of a peer, sent at once, as a client that does not wait sends them. */
export function submitMany(
  through: NodeRuntime | Visitor,
  doc: string,
  peer: string,
  counters: { readonly from: number; readonly to: number },
  options?: RequestOptions,
): Promise<OpReceipt[]> {
  const receipts: Promise<OpReceipt>[] = [];
  for (let counter = counters.from; counter <= counters.to; counter++) {
    receipts.push(through.submit(doc, op(peer, counter), options));
  }
  return Promise.all(receipts);
}

export const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
