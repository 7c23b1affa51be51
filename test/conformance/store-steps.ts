import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { LogEnd, Store, StoredOp } from '../../src/ports/store.ts';
import { bytes, freshId } from './engine-fixture.ts';

/** Ops that would follow the end of a log, chained as the runtime chains them. */
export function opsAfter(after: LogEnd, count: number, epoch: number, peer = 'p1'): StoredOp[] {
  let { chain } = after;
  return Array.from({ length: count }, (_, i) => {
    const seq = after.seq + 1 + i;
    const payload = bytes(`${peer} says ${seq}`);
    chain = createHash('sha256').update(`${chain} ${peer}:${seq} `).update(payload).digest('hex');
    chain = chain.slice(0, 16);
    return { seq, epoch, peer, counter: seq, at: 1_767_225_600_000 + seq, chain, payload };
  });
}

/** A document nobody used before, fenced for the session. */
export async function newDocument(
  store: Store,
  session: string,
  { epoch = 1 } = {},
): Promise<string> {
  const doc = freshId('doc');
  for (let expected = 0; expected < epoch; expected++) {
    expect(await store.fence(doc, session, expected)).toMatchObject({ status: 'fenced' });
  }
  return doc;
}

/** Appends as the owner would, and answers what it appended. */
export async function appendTo(
  store: Store,
  doc: string,
  session: string,
  count: number,
  peer = 'p1',
): Promise<StoredOp[]> {
  const head = await store.head(doc);
  if (!head) throw new Error('the document was never fenced');
  const after = { seq: head.seq, chain: head.chain };
  const ops = opsAfter(after, count, head.epoch, peer);
  const append = { doc, epoch: head.epoch, session, after, ops, announcement: null };
  expect(await store.append(append)).toEqual({ status: 'appended' });
  return ops;
}

/** The whole log, in as many steps as the store wants. */
export async function readAll(store: Store, doc: string): Promise<StoredOp[]> {
  const all: StoredOp[] = [];
  for (;;) {
    const some = await store.read(doc, all.at(-1)?.seq ?? 0, 1_000);
    if (some.length === 0) return all;
    all.push(...some);
  }
}
