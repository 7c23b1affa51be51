import { limits } from '../../foundation/limits.ts';
import type { Store } from '../../ports/store.ts';
import type { LogReader } from './log-reader.ts';

/** Reads logs from this node's own store. */
export function storeReader(store: Store): LogReader {
  return {
    async end(doc) {
      const head = await store.head(doc);
      return head && { seq: head.seq, chain: head.chain };
    },
    read: (doc, afterSeq) => store.read(doc, afterSeq, limits.readOpsMax),
  };
}
