import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GroupCommit } from '../../src/drivers/sqlite/group-commit.ts';
import { packOps } from '../../src/drivers/sqlite/packed-ops.ts';
import type { WriteRequest } from '../../src/drivers/sqlite/sqlite-calls.ts';
import { openSqliteFile } from '../../src/drivers/sqlite/sqlite-file.ts';
import type { SqliteStore } from '../../src/drivers/sqlite/sqlite-store.ts';
import { isBackplaneError } from '../../src/foundation/errors.ts';
import { failureOf } from '../conformance/law-suite.ts';
import { appendTo, newDocument, opsAfter, readAll } from '../conformance/store-steps.ts';
import { mayMount, SqliteFolder } from '../support/sqlite-folder.ts';

let files: SqliteFolder;
beforeEach(() => {
  files = new SqliteFolder();
});
afterEach(() => files.remove());

/** Makes a store with something in it, and closes it. */
async function makeStore(): Promise<void> {
  const store = await files.open();
  for (let i = 0; i < 20; i++) {
    await appendTo(store, await newDocument(store, 's1'), 's1', 50);
  }
  await files.closeAll();
}

function alter(sql: string): void {
  const db = new DatabaseSync(files.path);
  db.exec(sql);
  db.close();
}

function overwrite(at: number, bytes: string): void {
  writeSync(openSync(files.path, 'r+'), bytes, at);
}

describe('a new SQLite store', () => {
  it('is made with its folders, for nobody else to read', async () => {
    const path = join(files.folder, 'a', 'b', 'documents.sqlite');
    const store = await files.open({}, path);
    await newDocument(store, 's1');
    expect(statSync(join(files.folder, 'a')).mode & 0o777).toBe(0o700);
    expect(statSync(join(files.folder, 'a', 'b')).mode & 0o777).toBe(0o700);
    for (const name of ['', '-wal', '-shm']) {
      expect(statSync(path + name).mode & 0o077).toBe(0);
    }
    await files.closeAll();
    expect(readdirSync(join(files.folder, 'a', 'b'))).toEqual(['documents.sqlite']);
  });

  it('is one store, however many make it at once', async () => {
    const stores = await Promise.all(Array.from({ length: 5 }, () => files.open()));
    const identities = await Promise.all(stores.map((store) => store.identity()));
    expect(new Set(identities).size).toBe(1);
    expect(readdirSync(files.folder).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('takes a path with characters that mean something in a URI', async () => {
    const path = join(files.folder, 'a?mode=ro#%20 b.sqlite');
    const store = await files.open({}, path);
    const doc = await newDocument(store, 's1');
    await files.closeAll();
    expect(await (await files.open({}, path)).head(doc)).toMatchObject({ epoch: 1 });
    expect(existsSync(path)).toBe(true);
  });
});

describe('a file that is not a sound store of ours', () => {
  const cases: Record<string, () => void | Promise<void>> = {
    'is text': () => writeFileSync(files.path, 'dear diary\n'.repeat(1_000)),
    'is empty': () => writeFileSync(files.path, ''),
    'is a database of another program': () => alter('CREATE TABLE diary (day TEXT)'),
    'is a write-ahead database of another program, with its log': () => {
      const other = join(files.folder, 'other');
      const db = new DatabaseSync(other);
      db.exec('PRAGMA journal_mode = WAL; CREATE TABLE diary (day TEXT)');
      copyFileSync(other, files.path);
      copyFileSync(`${other}-wal`, `${files.path}-wal`);
      db.close();
    },
    'has our schema, but not our mark': async () => {
      await makeStore();
      alter('PRAGMA application_id = 7');
    },
    'is newer than this program': async () => {
      await makeStore();
      alter('PRAGMA user_version = 2');
    },
    'has lost its end': async () => {
      await makeStore();
      truncateSync(files.path, statSync(files.path).size - 8_192);
    },
    'is damaged in the middle': async () => {
      await makeStore();
      overwrite(3 * 4_096, '\xff'.repeat(2_000));
    },
    'is damaged at its head': async () => {
      await makeStore();
      overwrite(0, 'damaged');
    },
    'has lost a table': async () => {
      await makeStore();
      alter('DROP TABLE snapshots');
    },
    'has lost its identity': async () => {
      await makeStore();
      alter('DELETE FROM meta');
    },
    'is gone, and left its log behind': () => writeFileSync(`${files.path}-wal`, 'left behind'),
  };
  for (const [what, make] of Object.entries(cases)) {
    it(`is refused and left byte for byte when it ${what}`, async () => {
      await make();
      const before = files.contents();
      expect(await failureOf(() => files.open())).toMatchObject({
        code: 'STORE_CORRUPT',
        certainty: 'definite',
      });
      expect(files.contents()).toEqual(before);
    });
  }

  it('is told by its version what to do about it', async () => {
    await makeStore();
    alter('PRAGMA user_version = 2');
    const failure = await failureOf(() => files.open());
    expect(failure).toMatchObject({ facts: { version: 2 } });
    expect(failure).toMatchObject({ remedy: expect.stringMatching(/version of backplane/) });
  });

  it('fails the reads of a damaged log, not the store', async () => {
    await makeStore();
    const store = await files.open();
    const [head] = (await store.documents(null, 1)).documents;
    alter('DELETE FROM ops WHERE seq = 7');
    expect(await store.read(head!.doc, 0, 6)).toHaveLength(6);
    expect(await failureOf(() => store.read(head!.doc, 0, 7))).toMatchObject({
      code: 'STORE_CORRUPT',
    });
    await appendTo(store, await newDocument(store, 's1'), 's1', 1);
  });
});

describe('a place that cannot hold a store', () => {
  it('fails with DATA_FOLDER_UNUSABLE', async () => {
    writeFileSync(join(files.folder, 'file'), '');
    mkdirSync(join(files.folder, 'folder'));
    symlinkSync(join(files.folder, 'nowhere'), join(files.folder, 'link'));
    const places = ['file/documents.sqlite', 'folder', 'link', `${'x'.repeat(300)}/d.sqlite`];
    for (const place of places.map((one) => join(files.folder, one))) {
      expect(await failureOf(() => files.open({}, place)), place).toMatchObject({
        code: 'DATA_FOLDER_UNUSABLE',
        certainty: 'definite',
      });
    }
  });

  it('fails with DATA_FOLDER_UNUSABLE when it may not be written', async () => {
    // Permissions do not bind root, but a disk that is mounted to be read only does.
    const folder = mayMount ? files.mount(1_000_000) : files.folder;
    const path = join(folder, 'documents.sqlite');
    await files.open({}, path);
    await files.closeAll();
    if (mayMount) files.remountReadOnly();
    else chmodSync(folder, 0o500);
    try {
      for (const name of ['documents.sqlite', 'another.sqlite', 'folder/documents.sqlite']) {
        const failure = await failureOf(() => files.open({}, join(folder, name)));
        expect(failure, name).toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
      }
    } finally {
      if (!mayMount) chmodSync(folder, 0o700);
    }
  });

  it('fails writes once the file was removed under the store', async () => {
    const store = await files.open();
    const doc = await newDocument(store, 's1');
    rmSync(files.path);
    for (const call of [() => store.fence(doc, 's1', 1), () => store.checkWritable()]) {
      const failure = await failureOf(call);
      expect(failure).toMatchObject({ code: 'STORE_UNAVAILABLE', certainty: 'definite' });
    }
    writeFileSync(files.path, 'another');
    expect(await failureOf(() => store.fence(doc, 's1', 1))).toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    await files.closeAll();
    expect(readFileSync(files.path, 'utf8')).toBe('another');
  });
});

describe('a lock of another program', () => {
  it('is waited for, and then the write fails with STORE_LOCKED', async () => {
    const store = await files.open({ lockWaitMs: 100 });
    const doc = await newDocument(store, 's1');
    const other = new DatabaseSync(files.path);
    other.exec('BEGIN IMMEDIATE');
    const calls = [() => store.checkWritable(), () => store.fence(doc, 's1', 1)];
    for (const failure of await Promise.all(calls.map(failureOf))) {
      expect(failure).toMatchObject({ code: 'STORE_LOCKED', certainty: 'definite' });
    }
    // A write lock keeps nobody from reading.
    expect(await store.head(doc)).toMatchObject({ epoch: 1 });
    const waiting = store.fence(doc, 's1', 1);
    other.exec('ROLLBACK');
    expect(await waiting).toMatchObject({ status: 'fenced' });
    other.close();
  });

  it('keeps a store from being opened, with STORE_LOCKED', async () => {
    await makeStore();
    const other = new DatabaseSync(files.path);
    other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT');
    expect(await failureOf(() => files.open({ lockWaitMs: 50 }))).toMatchObject({
      code: 'STORE_LOCKED',
    });
    other.close();
    expect((await (await files.open()).documents(null, 100)).documents).toHaveLength(20);
  });
});

describe('a full disk', () => {
  it('fails only the write that has no room', () => {
    const { db } = openSqliteFile({ path: files.path, freshIdentity: 'i', lockWaitMs: 100 });
    const group = new GroupCommit(db, files.path, 100);
    const fence = (id: number, doc: string): WriteRequest => {
      return { id, kind: 'fence', takes: { doc, session: 's1', expectedEpoch: 0 } };
    };
    const append = (id: number, doc: string, bytes: number): WriteRequest => {
      const after = { seq: 0, chain: '' };
      const [op] = opsAfter(after, 1, 1);
      const ops = packOps([{ ...op!, payload: new Uint8Array(bytes) }]);
      return { id, kind: 'append', takes: { doc, epoch: 1, session: 's1', after, ops } };
    };
    group.commit(() => [fence(1, 'a'), fence(2, 'b'), fence(3, 'c')]);
    const pages = db.prepare('PRAGMA page_count').get()?.page_count;
    db.exec(`PRAGMA max_page_count = ${Number(pages) + 4}`);
    const answers = group.commit(() => [
      append(4, 'a', 100),
      append(5, 'b', 1_000_000),
      append(6, 'c', 100),
    ]);
    const failure = { code: 'STORE_FULL', certainty: 'definite' };
    expect(answers).toMatchObject([
      { id: 4, gives: { status: 'appended' } },
      { id: 5, failure },
      { id: 6, gives: { status: 'appended' } },
    ]);
    db.close();
  });

  it.runIf(mayMount)('fails with STORE_FULL, loses nothing, and goes on with room', async () => {
    const disk = files.mount(1_500_000);
    const ballast = join(disk, 'ballast');
    writeFileSync(ballast, new Uint8Array(400_000));
    const path = join(disk, 'documents.sqlite');
    const store = await files.open({}, path);
    const doc = await newDocument(store, 's1');
    const acknowledged = await fillUp(store, doc);
    expect(acknowledged).toBeGreaterThan(10);
    expect(await failureOf(() => store.checkWritable())).toMatchObject({ code: 'STORE_FULL' });
    expect(await readAll(store, doc)).toHaveLength(acknowledged);
    const elsewhere = join(disk, 'another.sqlite');
    expect(await failureOf(() => files.open({}, elsewhere))).toMatchObject({ code: 'STORE_FULL' });
    rmSync(ballast);
    await store.checkWritable();
    await appendTo(store, doc, 's1', 1);
    await files.closeAll();
    expect(await readAll(await files.open({}, path), doc)).toHaveLength(acknowledged + 1);
  });
});

/** Appends until there is no room; answers how many ops were acknowledged. */
async function fillUp(store: SqliteStore, doc: string): Promise<number> {
  for (let acknowledged = 0; ; acknowledged++) {
    try {
      await appendOne(store, doc, acknowledged);
    } catch (error) {
      if (isBackplaneError(error, 'STORE_FULL')) return acknowledged;
      throw error;
    }
  }
}

async function appendOne(store: SqliteStore, doc: string, seq: number): Promise<void> {
  const after = { seq, chain: seq === 0 ? '' : `chain ${seq}` };
  const [op] = opsAfter(after, 1, 1);
  const ops = [{ ...op!, chain: `chain ${seq + 1}`, payload: new Uint8Array(3_000) }];
  const append = { doc, epoch: 1, session: 's1', after, ops, announcement: null };
  expect(await store.append(append)).toEqual({ status: 'appended' });
}
