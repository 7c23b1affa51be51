import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteStore } from '../../src/drivers/sqlite/sqlite-store.ts';
import { SqliteThread } from '../../src/drivers/sqlite/sqlite-thread.ts';
import { limits } from '../../src/foundation/limits.ts';
import { failureOf } from '../conformance/law-suite.ts';
import { type StoreFixture, storeLaws } from '../conformance/store.ts';
import { appendTo, newDocument, opsAfter, readAll } from '../conformance/store-steps.ts';
import { commitsIn, SqliteFolder, sqliteMachine } from '../support/sqlite-folder.ts';

async function open(): Promise<StoreFixture> {
  const files = new SqliteFolder();
  const store = await files.open();
  return {
    store,
    openAnother: () => files.open(),
    async reopen() {
      await store.close();
      return files.open();
    },
    async pass(ms) {
      await wait(ms);
    },
    close: () => files.remove(),
  };
}

storeLaws('in SQLite', open);

let files: SqliteFolder;
beforeEach(() => {
  files = new SqliteFolder();
});
afterEach(() => files.remove());

const start = { seq: 0, chain: '' };

describe('the writes of a SQLite store', () => {
  it('share transactions, whatever their documents', async () => {
    const store = await files.open();
    const docs = await Promise.all(Array.from({ length: 200 }, () => newDocument(store, 's1')));
    const before = commitsIn(files.path);
    await Promise.all(docs.map((doc) => appendTo(store, doc, 's1', 2)));
    const commits = commitsIn(files.path) - before;
    expect(commits).toBeGreaterThan(0);
    expect(commits).toBeLessThan(40);
    for (const doc of docs) expect(await readAll(store, doc)).toHaveLength(2);
  });

  it('are each committed before they are answered', async () => {
    const store = await files.open();
    const doc = await newDocument(store, 's1');
    for (let i = 0; i < 3; i++) {
      const before = commitsIn(files.path);
      await appendTo(store, doc, 's1', 1);
      expect(commitsIn(files.path) - before).toBe(1);
    }
  });

  it('touch the disk to see whether they could, and leave no row', async () => {
    const store = await files.open();
    await newDocument(store, 's1');
    const before = commitsIn(files.path);
    await store.checkWritable();
    expect(commitsIn(files.path) - before).toBe(1);
  });

  it('fail alone when their ops are there already, as only damage explains', async () => {
    const store = await files.open();
    const [damaged, sound] = [await newDocument(store, 's1'), await newDocument(store, 's1')];
    await appendTo(store, damaged, 's1', 1);
    const other = new DatabaseSync(files.path);
    other.prepare("UPDATE documents SET seq = 0, chain = '' WHERE doc = ?").run(damaged);
    other.close();
    const append = (doc: string) => {
      const ops = opsAfter(start, 2, 1);
      return store.append({ doc, epoch: 1, session: 's1', after: start, ops, announcement: null });
    };
    const [first, second] = await Promise.allSettled([append(damaged), append(sound)]);
    expect(first).toMatchObject({ reason: { code: 'STORE_CORRUPT', certainty: 'definite' } });
    expect(second).toMatchObject({ value: { status: 'appended' } });
  });

  it('are refused as OVERLOADED when too many wait', async () => {
    const store = await files.open();
    const heads = await Promise.allSettled(
      Array.from({ length: 9_000 }, () => store.head('doc-1')),
    );
    const failed = heads.filter((head) => head.status === 'rejected');
    expect(failed).toHaveLength(9_000 - 8_192);
    expect(failed[0]!.reason).toMatchObject({ code: 'OVERLOADED', certainty: 'definite' });
    expect(await store.head('doc-1')).toBeNull();
  });

  it('are refused as OVERLOADED when what waits is too large, but one goes always', async () => {
    const store = await files.open();
    const doc = await newDocument(store, 's1');
    const [op] = await appendTo(store, doc, 's1', 1);
    const save = (bytes: number) => {
      const snapshot = { seq: 1, chain: op!.chain, data: new Uint8Array(bytes) };
      return failureOf(() => store.saveSnapshot(doc, 9, snapshot));
    };
    const large = store.saveSnapshot(doc, 9, { ...op!, data: new Uint8Array(70_000_000) });
    expect(await save(1_000)).toMatchObject({ code: 'OVERLOADED' });
    expect(await large).toBe(false);
  });
});

describe('the reads of a SQLite store', () => {
  it('let go of the log, also when they stop early or find damage', async () => {
    const store = await files.open();
    const doc = await newDocument(store, 's1');
    let after = start;
    for (let i = 0; i < 6; i++) {
      const payload = new Uint8Array(limits.payloadBytesMax);
      const ops = opsAfter(after, 1, 1).map((op) => ({ ...op, payload }));
      await store.append({ doc, epoch: 1, session: 's1', after, ops, announcement: null });
      after = { seq: ops[0]!.seq, chain: ops[0]!.chain };
    }
    expect((await store.read(doc, 0, 6)).length).toBeLessThan(6);
    const other = new DatabaseSync(files.path);
    other.exec('DELETE FROM ops WHERE seq = 2');
    expect(await failureOf(() => store.read(doc, 0, 6))).toMatchObject({ code: 'STORE_CORRUPT' });
    // Truncated only when nobody reads from it any more.
    const checkpoint = other.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
    other.close();
    expect(checkpoint).toMatchObject({ busy: 0, log: 0 });
  });
});

describe('a thread of a SQLite store that dies', () => {
  it('fails what is under way as uncertain, and what comes later as not done', async () => {
    const events: string[] = [];
    const logger = { event: (_: string, name: string) => void events.push(name) };
    const machine = { ...sqliteMachine, logger };
    const [writer, reader] = [new SqliteThread('w', machine), new SqliteThread('r', machine)];
    const opening = { path: files.path, freshIdentity: 'x'.repeat(16), lockWaitMs: 1_000 };
    const { identity } = await writer.call('openWriter', opening);
    await reader.call('openReader', opening);
    const store = new SqliteStore({ writer, reader, identity });
    const doc = await newDocument(store, 's1');

    const ops = opsAfter(start, 1, 1);
    const append = { doc, epoch: 1, session: 's1', after: start, ops, announcement: null };
    const underWay = failureOf(() => store.append(append));
    await Promise.all([writer.terminate(), reader.terminate()]);
    expect(await underWay).toMatchObject({ code: 'STORE_UNAVAILABLE', certainty: 'indefinite' });
    for (const call of [() => store.append(append), () => store.checkWritable()]) {
      const failure = await failureOf(call);
      expect(failure).toMatchObject({ code: 'STORE_UNAVAILABLE', certainty: 'definite' });
    }
    expect(await failureOf(() => store.head(doc))).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(events).toEqual(['store.thread-died', 'store.thread-died']);
    await store.close();

    const again = await files.open();
    expect(await again.head(doc)).toMatchObject({ epoch: 1, session: 's1' });
    expect(await again.fence(doc, 's2', 1)).toMatchObject({ status: 'fenced' });
  });
});
