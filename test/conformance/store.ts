import { expect } from 'vitest';
import { limits } from '../../src/foundation/limits.ts';
import type { InspectableStore } from '../../src/ports/engine.ts';
import type { DocumentHead } from '../../src/ports/store.ts';
import { bytes, freshId, text } from './engine-fixture.ts';
import { type Fixture, failureOf, type LawOptions, lawSuite, trickyNames } from './law-suite.ts';
import { storeModelLaw } from './store-model.ts';
import { appendTo, newDocument, opsAfter, readAll } from './store-steps.ts';
import { storeWriteLaws } from './store-writes.ts';

export interface StoreFixture extends Fixture {
  /** Empty at the start. */
  readonly store: InspectableStore;
  /** A second handle on the same data, as another node would have. */
  openAnother(): Promise<InspectableStore>;
  /** Closes `store` and opens the same data again. Absent where nothing outlives a close. */
  reopen?(): Promise<InspectableStore>;
}

export type OpenStoreFixture = () => Promise<StoreFixture>;

/** The laws of `ports/store.ts`, and of `LogInspector` in `ports/inspector.ts`. */
export function storeLaws(name: string, open: OpenStoreFixture, options: LawOptions = {}): void {
  lawSuite<StoreFixture>(`the store ${name}`, open, options, (law) => {
    law('identity is drawn once, and the same for all who open the store', async (fixture) => {
      const identity = await fixture.store.identity();
      expect(identity).toMatch(/^[\x21-\x7e]{8,64}$/);
      expect(await fixture.store.identity()).toBe(identity);
      expect(await (await fixture.openAnother()).identity()).toBe(identity);
    });

    storeWriteLaws(law);

    law('4. what was appended is read back byte for byte, without a gap', async ({ store }) => {
      const doc = await newDocument(store, 's1');
      const written = await appendTo(store, doc, 's1', 7);
      const odd = opsAfter({ seq: 7, chain: written[6]!.chain }, 4, 1).map((op, i) => {
        const payloads = [
          new Uint8Array(0),
          Uint8Array.from({ length: 256 }, (_, byte) => byte),
          // A view into something larger must not drag its surroundings along.
          new Uint8Array(new ArrayBuffer(500), 100, 5).fill(7),
          Buffer.from('ü\u0000"\'\n\u001b[31m\ud83d\ude00'),
        ];
        return { ...op, peer: '~peer.A-z_9', counter: 2 ** 53 - 1 - i, payload: payloads[i]! };
      });
      const after = { seq: 7, chain: written[6]!.chain };
      const append = { doc, epoch: 1, session: 's1', after, ops: odd, announcement: null };
      expect(await store.append(append)).toEqual({ status: 'appended' });
      const all = await readAll(store, doc);
      expect(all.map((op) => op.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      for (const [i, op] of [...written, ...odd].entries()) {
        expect({ ...all[i], payload: null }).toEqual({ ...op, payload: null });
        expect(Buffer.compare(all[i]!.payload, op.payload)).toBe(0);
      }
    });

    law('4. a payload changed after append was called is stored as it was', async ({ store }) => {
      const doc = await newDocument(store, 's1');
      const payload = bytes('before');
      const after = { seq: 0, chain: '' };
      const ops = opsAfter(after, 1, 1).map((op) => ({ ...op, payload }));
      const append = { doc, epoch: 1, session: 's1', after, ops, announcement: null };
      expect(await store.append(append)).toEqual({ status: 'appended' });
      payload.fill(0);
      const [read] = await store.read(doc, 0, 1);
      expect(text(read!.payload)).toBe('before');
      read!.payload.fill(0);
      expect(text((await store.read(doc, 0, 1))[0]!.payload)).toBe('before');
    });

    law('4. read answers ops after a seq, at most as many as asked', async ({ store }) => {
      const doc = await newDocument(store, 's1');
      const written = await appendTo(store, doc, 's1', 30);
      expect(await store.read(doc, 0, 5)).toEqual(written.slice(0, 5));
      expect(await store.read(doc, 28, 100)).toEqual(written.slice(28));
      expect(await store.read(doc, 30, 5)).toEqual([]);
      expect(await store.read(doc, 1_000, 5)).toEqual([]);
      expect(await store.read(freshId('doc'), 0, 5)).toEqual([]);
    });

    law('4. large ops are read in several steps, each of which gets on', async ({ store }) => {
      const doc = await newDocument(store, 's1');
      let after = { seq: 0, chain: '' };
      for (let i = 0; i < 6; i++) {
        const payload = new Uint8Array(limits.payloadBytesMax).fill(i);
        const ops = opsAfter(after, 1, 1).map((op) => ({ ...op, payload }));
        const append = { doc, epoch: 1, session: 's1', after, ops, announcement: null };
        expect(await store.append(append)).toEqual({ status: 'appended' });
        after = { seq: ops[0]!.seq, chain: ops[0]!.chain };
      }
      const all = await readAll(store, doc);
      expect(all.map((op) => op.payload[0])).toEqual([0, 1, 2, 3, 4, 5]);
      for (const op of all) expect(op.payload).toHaveLength(limits.payloadBytesMax);
    });

    law('4. all of it is there after the store was closed and opened again', async (fixture) => {
      // What is gone with its process says so.
      if (!fixture.reopen) return expect(fixture.store.volatile).toBe(true);
      const doc = await newDocument(fixture.store, 's1', { epoch: 4 });
      const written = await appendTo(fixture.store, doc, 's1', 20);
      const snapshot = { seq: 10, chain: written[9]!.chain, data: bytes('state') };
      await fixture.store.saveSnapshot(doc, 4, snapshot);
      const identity = await fixture.store.identity();
      const head = await fixture.store.head(doc);
      const again = await fixture.reopen();
      expect(await again.identity()).toBe(identity);
      expect(await again.head(doc)).toEqual(head);
      expect(await readAll(again, doc)).toEqual(written);
      expect(await again.readSnapshot(doc)).toEqual(snapshot);
      const after = { seq: 20, chain: written[19]!.chain };
      const late = { doc, epoch: 3, session: 's1', after, ops: opsAfter(after, 1, 3) };
      const answer = await again.append({ ...late, announcement: null });
      expect(answer).toEqual({ status: 'fenced', epoch: 4 });
      expect(await again.fence(doc, 's2', 4)).toMatchObject({ status: 'fenced', snapshot });
    });

    law('5. saveSnapshot keeps the newest', async ({ store }) => {
      const doc = await newDocument(store, 's1');
      const written = await appendTo(store, doc, 's1', 5);
      const at = (seq: number) => {
        return { seq, chain: written[seq - 1]!.chain, data: bytes(`state at ${seq}`) };
      };
      expect(await store.readSnapshot(doc)).toBeNull();
      expect(await store.saveSnapshot(doc, 1, at(3))).toBe(true);
      expect(await store.saveSnapshot(doc, 1, at(2))).toBe(false);
      expect(await store.saveSnapshot(doc, 1, { ...at(3), data: bytes('another') })).toBe(false);
      expect(await store.readSnapshot(doc)).toEqual(at(3));
      expect(await store.saveSnapshot(doc, 1, at(5))).toBe(true);
      expect(await store.readSnapshot(doc)).toEqual(at(5));
      expect(await store.head(doc)).toMatchObject({ snapshotSeq: 5, seq: 5 });
      expect(await readAll(store, doc)).toEqual(written);
    });

    law('5. saveSnapshot of a fenced epoch changes nothing', async ({ store }) => {
      const doc = await newDocument(store, 's1');
      const [op] = await appendTo(store, doc, 's1', 1);
      await store.fence(doc, 's2', 1);
      const snapshot = { seq: 1, chain: op!.chain, data: bytes('late') };
      expect(await store.saveSnapshot(doc, 1, snapshot)).toBe(false);
      expect(await store.saveSnapshot(doc, 3, snapshot)).toBe(false);
      expect(await store.saveSnapshot(freshId('doc'), 1, snapshot)).toBe(false);
      expect(await store.readSnapshot(doc)).toBeNull();
      expect(await store.saveSnapshot(doc, 2, snapshot)).toBe(true);
    });

    law('5. a snapshot keeps every byte, also of one larger than any op', async ({ store }) => {
      const doc = await newDocument(store, 's1');
      const [op] = await appendTo(store, doc, 's1', 1);
      const data = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 31) % 251);
      expect(await store.saveSnapshot(doc, 1, { seq: 1, chain: op!.chain, data })).toBe(true);
      const kept = await store.readSnapshot(doc);
      expect(Buffer.compare(kept!.data, data)).toBe(0);
    });

    law('6. reading changes nothing; a document never fenced has no head', async ({ store }) => {
      const doc = await newDocument(store, 's1');
      await appendTo(store, doc, 's1', 3);
      const unknown = freshId('doc');
      const look = async () => [
        await store.head(doc),
        await store.read(doc, 0, 10),
        await store.readSnapshot(doc),
        await store.head(unknown),
        await store.read(unknown, 0, 10),
        await store.readSnapshot(unknown),
        await store.documents(null, 10),
      ];
      const first = await look();
      expect(await look()).toEqual(first);
      expect(first.slice(3, 6)).toEqual([null, [], null]);
      expect(first[6]).toMatchObject({ documents: [{ doc }], next: null });
    });

    law(
      '7. any document name up to the limit is kept apart from every other',
      async ({ store }) => {
        const docs = [...new Set(trickyNames)];
        for (const [i, doc] of docs.entries()) {
          expect(await store.head(doc)).toBeNull();
          expect(await store.fence(doc, `s${i}`, 0)).toMatchObject({ status: 'fenced' });
          await appendTo(store, doc, `s${i}`, 1, `p${i}`);
        }
        for (const [i, doc] of docs.entries()) {
          expect(await store.head(doc)).toMatchObject({ doc, session: `s${i}`, epoch: 1, seq: 1 });
          expect(await store.read(doc, 0, 10)).toMatchObject([{ peer: `p${i}`, seq: 1 }]);
        }
        expect((await listAll(store, 7)).map((head) => head.doc).sort()).toEqual(docs.sort());
      },
    );

    law('8. once closed, every call fails with CLOSED', async (fixture) => {
      const store = await fixture.openAnother();
      const doc = await newDocument(store, 's1');
      await store.close();
      await store.close();
      const after = { seq: 0, chain: '' };
      const ops = opsAfter(after, 1, 1);
      const calls: (() => Promise<unknown>)[] = [
        () => store.identity(),
        () => store.fence(doc, 's1', 1),
        () => store.append({ doc, epoch: 1, session: 's1', after, ops, announcement: null }),
        () => store.head(doc),
        () => store.read(doc, 0, 1),
        () => store.readSnapshot(doc),
        () => store.saveSnapshot(doc, 1, { seq: 1, chain: 'c', data: bytes('x') }),
        () => store.checkWritable(),
        () => store.documents(null, 1),
      ];
      for (const call of calls) expect(await failureOf(call)).toMatchObject({ code: 'CLOSED' });
      expect(await fixture.store.head(doc)).toMatchObject({ epoch: 1, seq: 0 });
    });

    law('8. close waits for what is under way', async (fixture) => {
      const store = await fixture.openAnother();
      const doc = await newDocument(store, 's1');
      const after = { seq: 0, chain: '' };
      const ops = opsAfter(after, 10, 1);
      const append = { doc, epoch: 1, session: 's1', after, ops, announcement: null };
      const answer = store.append(append);
      await store.close();
      expect(await answer).toEqual({ status: 'appended' });
      expect(await readAll(fixture.store, doc)).toEqual(ops);
    });

    law(
      '9. checkWritable resolves when a write would succeed, and leaves no trace',
      async ({ store }) => {
        const doc = await newDocument(store, 's1');
        const before = [await store.head(doc), await store.documents(null, 10)];
        for (let check = 0; check < 3; check++) await store.checkWritable();
        expect([await store.head(doc), await store.documents(null, 10)]).toEqual(before);
      },
    );

    law(
      'documents pages through every fenced document, each once, in bounded pages',
      async ({ store }) => {
        expect(await store.documents(null, 10)).toEqual({ documents: [], next: null });
        const docs = await Promise.all(Array.from({ length: 57 }, () => newDocument(store, 's1')));
        await appendTo(store, docs[3]!, 's1', 4);
        for (const limit of [1, 10, 57, 1_000]) {
          const heads = await listAll(store, limit);
          expect(heads.map((head) => head.doc).sort()).toEqual([...docs].sort());
          for (const head of heads) expect(head).toEqual(await store.head(head.doc));
        }
      },
    );

    storeModelLaw(law);
  });
}

async function listAll(store: InspectableStore, limit: number): Promise<DocumentHead[]> {
  const heads: DocumentHead[] = [];
  let from: string | null = null;
  do {
    const page = await store.documents(from, limit);
    expect(page.documents.length).toBeLessThanOrEqual(limit);
    heads.push(...page.documents);
    from = page.next;
  } while (from !== null);
  return heads;
}
