import { expect } from 'vitest';
import type { DocumentHead } from '../../src/ports/store.ts';
import { bytes, freshId } from './engine-fixture.ts';
import type { DefineLaw } from './law-suite.ts';
import type { StoreFixture } from './store.ts';
import { appendTo, newDocument, opsAfter, readAll } from './store-steps.ts';

/** Laws 1 to 3 of `ports/store.ts`: who may write, and where. */
export function storeWriteLaws(law: DefineLaw<StoreFixture>): void {
  law('1. fence raises the epoch by exactly one and names the writer', async ({ store }) => {
    const doc = freshId('doc');
    for (let epoch = 1; epoch <= 3; epoch++) {
      const session = `s${epoch}`;
      const head: DocumentHead = { doc, epoch, session, seq: 0, chain: '', snapshotSeq: 0 };
      const answer = await store.fence(doc, session, epoch - 1);
      expect(answer).toEqual({ status: 'fenced', head, snapshot: null });
      expect(await store.head(doc)).toEqual(head);
    }
  });

  law('1. fence with a wrong epoch changes nothing and answers the true one', async ({ store }) => {
    const fresh = freshId('doc');
    expect(await store.fence(fresh, 's1', 1)).toEqual({ status: 'conflict', epoch: 0 });
    expect(await store.head(fresh)).toBeNull();
    const doc = await newDocument(store, 's1', { epoch: 5 });
    const head = await store.head(doc);
    for (const expected of [0, 4, 6, 1_000_000]) {
      expect(await store.fence(doc, 's2', expected)).toEqual({ status: 'conflict', epoch: 5 });
    }
    expect(await store.head(doc)).toEqual(head);
  });

  law('1. fence answers where the log ends, and the newest snapshot', async ({ store }) => {
    const doc = await newDocument(store, 's1');
    const ops = await appendTo(store, doc, 's1', 5);
    const chain = ops[4]!.chain;
    const snapshot = { seq: 3, chain: ops[2]!.chain, data: bytes('state at 3') };
    expect(await store.saveSnapshot(doc, 1, snapshot)).toBe(true);
    expect(await store.fence(doc, 's2', 1)).toEqual({
      status: 'fenced',
      head: { doc, epoch: 2, session: 's2', seq: 5, chain, snapshotSeq: 3 },
      snapshot,
    });
  });

  law('1. of many who fence at once, one wins each epoch', async (fixture) => {
    const another = await fixture.openAnother();
    const doc = freshId('doc');
    for (let epoch = 0; epoch < 5; epoch++) {
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, i) => {
          return (i % 2 ? another : fixture.store).fence(doc, `s${i}`, epoch);
        }),
      );
      const winners = answers.flatMap((one, i) => (one.status === 'fenced' ? [`s${i}`] : []));
      expect(winners).toHaveLength(1);
      expect(await fixture.store.head(doc)).toMatchObject({
        epoch: epoch + 1,
        session: winners[0],
      });
    }
  });

  law('2. append needs the fenced epoch and the fenced session', async ({ store }) => {
    const unknown = freshId('doc');
    const ops = opsAfter({ seq: 0, chain: '' }, 2, 1);
    const append = { doc: unknown, epoch: 1, session: 's1', after: { seq: 0, chain: '' }, ops };
    const answer = await store.append({ ...append, announcement: null });
    expect(answer).toEqual({ status: 'fenced', epoch: 0 });
    expect(await store.head(unknown)).toBeNull();

    const doc = await newDocument(store, 's1', { epoch: 3 });
    const right = { ...append, doc, epoch: 3, announcement: null };
    for (const wrong of [{ epoch: 2 }, { epoch: 4 }, { session: 's2' }]) {
      expect(await store.append({ ...right, ...wrong })).toEqual({ status: 'fenced', epoch: 3 });
    }
    expect(await store.read(doc, 0, 10)).toEqual([]);
    expect(await store.append(right)).toEqual({ status: 'appended' });
  });

  law('2. append needs the log to end at the seq and chain believed', async ({ store }) => {
    const doc = await newDocument(store, 's1');
    const written = await appendTo(store, doc, 's1', 3);
    const end = { seq: 3, chain: written[2]!.chain };
    const wrongEnds = [
      { seq: 0, chain: '' },
      { seq: 2, chain: written[1]!.chain },
      { seq: 4, chain: end.chain },
      { seq: 3, chain: written[1]!.chain },
      { seq: 3, chain: '' },
    ];
    for (const after of wrongEnds) {
      const ops = opsAfter(after, 2, 1);
      const append = { doc, epoch: 1, session: 's1', after, ops, announcement: null };
      expect(await store.append(append)).toEqual({ status: 'conflict', end });
    }
    expect(await readAll(store, doc)).toEqual(written);
    expect(await store.head(doc)).toMatchObject(end);
  });

  law(
    '2. of many appends after one end, one is written and the others conflict',
    async (fixture) => {
      const another = await fixture.openAnother();
      const doc = await newDocument(fixture.store, 's1');
      let after = { seq: 0, chain: '' };
      for (let round = 0; round < 5; round++) {
        const batches = Array.from({ length: 6 }, (_, i) => opsAfter(after, 3, 1, `p${i}`));
        const answers = await Promise.all(
          batches.map((ops, i) => {
            const append = { doc, epoch: 1, session: 's1', after, ops, announcement: null };
            return (i % 2 ? another : fixture.store).append(append);
          }),
        );
        const winner = answers.findIndex((answer) => answer.status === 'appended');
        const end = { seq: after.seq + 3, chain: batches[winner]![2]!.chain };
        for (const [i, answer] of answers.entries()) {
          expect(answer).toEqual(
            i === winner ? { status: 'appended' } : { status: 'conflict', end },
          );
        }
        expect(await another.read(doc, after.seq, 10)).toEqual(batches[winner]);
        after = end;
      }
    },
  );

  law('2. an append that is refused leaves those sent with it alone', async ({ store }) => {
    const docs = await Promise.all(Array.from({ length: 40 }, () => newDocument(store, 's1')));
    const answers = await Promise.all(
      docs.map((doc, i) => {
        const after = { seq: 0, chain: '' };
        const ops = opsAfter(after, 4, 1);
        const session = i % 4 === 1 ? 'another' : 's1';
        return store.append({ doc, epoch: 1, session, after, ops, announcement: null });
      }),
    );
    for (const [i, doc] of docs.entries()) {
      const refused = i % 4 === 1;
      expect(answers[i]!.status).toBe(refused ? 'fenced' : 'appended');
      expect(await readAll(store, doc)).toHaveLength(refused ? 0 : 4);
    }
  });

  law('3. after a fence no append of an earlier epoch succeeds', async (fixture) => {
    const another = await fixture.openAnother();
    const doc = await newDocument(fixture.store, 's1');
    const written = await appendTo(fixture.store, doc, 's1', 2);
    expect(await another.fence(doc, 's2', 1)).toMatchObject({ status: 'fenced' });
    const after = { seq: 2, chain: written[1]!.chain };
    const late = { doc, epoch: 1, session: 's1', after, ops: opsAfter(after, 1, 1) };
    for (let attempt = 0; attempt < 3; attempt++) {
      const answer = await fixture.store.append({ ...late, announcement: null });
      expect(answer).toEqual({ status: 'fenced', epoch: 2 });
    }
    // Not with the epoch guessed either.
    const guessed = { ...late, epoch: 2, ops: opsAfter(after, 1, 2), announcement: null };
    expect(await fixture.store.append(guessed)).toEqual({ status: 'fenced', epoch: 2 });
    expect(await readAll(another, doc)).toEqual(written);
    await appendTo(another, doc, 's2', 2);
    expect((await readAll(fixture.store, doc)).map((op) => op.epoch)).toEqual([1, 1, 2, 2]);
  });

  law(
    '3. a session that fenced again cannot append with its own earlier epoch',
    async (fixture) => {
      const doc = await newDocument(fixture.store, 's1');
      const written = await appendTo(fixture.store, doc, 's1', 1);
      expect(await fixture.store.fence(doc, 's1', 1)).toMatchObject({ status: 'fenced' });
      const after = { seq: 1, chain: written[0]!.chain };
      const late = { doc, epoch: 1, session: 's1', after, ops: opsAfter(after, 1, 1) };
      const answer = await fixture.store.append({ ...late, announcement: null });
      expect(answer).toEqual({ status: 'fenced', epoch: 2 });
      expect(await readAll(fixture.store, doc)).toEqual(written);
    },
  );

  law('3. an append racing with a fence is either before it or refused', async (fixture) => {
    const another = await fixture.openAnother();
    for (let round = 0; round < 10; round++) {
      const doc = await newDocument(fixture.store, 's1');
      const after = { seq: 0, chain: '' };
      const ops = opsAfter(after, 3, 1);
      const append = { doc, epoch: 1, session: 's1', after, ops, announcement: null };
      const [answer, fence] = await Promise.all([
        fixture.store.append(append),
        another.fence(doc, 's2', 1),
      ]);
      const seqAtFence = fence.status === 'fenced' ? fence.head.seq : -1;
      expect(seqAtFence).toBe(answer.status === 'appended' ? 3 : 0);
      expect(await readAll(another, doc)).toHaveLength(seqAtFence);
    }
  });
}
