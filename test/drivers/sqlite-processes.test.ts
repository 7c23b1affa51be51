import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SqliteStore } from '../../src/drivers/sqlite/sqlite-store.ts';
import { text } from '../conformance/engine-fixture.ts';
import { newDocument, readAll } from '../conformance/store-steps.ts';
import { SqliteFolder } from '../support/sqlite-folder.ts';
import type { SaidOp, SqliteLine, SqliteTask } from '../support/sqlite-process.ts';

let files: SqliteFolder;
const children: ChildProcess[] = [];
beforeEach(() => {
  files = new SqliteFolder();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await files.remove();
});

const program = join(import.meta.dirname, '../support/sqlite-process.ts');

interface Run {
  readonly lines: SqliteLine[];
  /** Resolves with the exit code, null after a kill, once all its lines are here. */
  readonly ended: Promise<number | null>;
  /** Resolves once it has said that many lines. */
  said(count: number): Promise<void>;
  kill(): void;
}

function run(task: Partial<SqliteTask> & { session: string }): Run {
  const whole = { path: files.path, docs: [], fences: 0, appends: 0, ...task };
  const child = spawn(process.execPath, [program, JSON.stringify(whole)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines: SqliteLine[] = [];
  const reader = createInterface({ input: child.stdout });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  let heard = () => {};
  reader.on('line', (line) => {
    // A kill may cut the last line; what it would have said is simply not known.
    if (line.endsWith('}')) lines.push(JSON.parse(line));
    heard();
  });
  return {
    lines,
    ended,
    said: async (count) => {
      while (lines.length < count && child.exitCode === null) {
        await Promise.race([ended, new Promise<void>((resolve) => (heard = resolve))]);
      }
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

function appendedIn(runs: readonly Run[], doc: string): SaidOp[] {
  const lines = runs.flatMap((run) => run.lines);
  return lines.flatMap((line) => (line.kind === 'appended' && line.doc === doc ? [line.op] : []));
}

/** All that was acknowledged is in the log, in an order and with epochs that make sense. */
async function expectKept(store: SqliteStore, doc: string, runs: readonly Run[]): Promise<void> {
  const log = await readAll(store, doc);
  expect(log.map((op) => op.seq)).toEqual(log.map((_, i) => i + 1));
  for (const op of log) expect(text(op.payload)).toBe(`${op.peer} says ${op.chain}`);
  const epochs = log.map((op) => op.epoch);
  expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
  for (const said of appendedIn(runs, doc)) {
    const { payload: _, ...kept } = log[said.seq - 1]!;
    expect(kept).toEqual(said);
  }
}

describe('several processes on one SQLite file', () => {
  it('make one store when they open it at once', async () => {
    const path = join(files.folder, 'new', 'folder', 'documents.sqlite');
    const runs = Array.from({ length: 4 }, (_, i) => run({ path, session: `s${i}` }));
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([0, 0, 0, 0]);
    const identities = runs.flatMap(({ lines }) => lines.map((line) => JSON.stringify(line)));
    expect(identities).toHaveLength(4);
    expect(new Set(identities).size).toBe(1);
    expect(readdirSync(join(files.folder, 'new', 'folder'))).toEqual(['documents.sqlite']);
  });

  it('keep the laws while they take documents from each other', async () => {
    const docs = ['doc-1', 'doc-2', 'doc-3'];
    const task = { docs, fences: 40, appends: 5 };
    const runs = [run({ ...task, session: 's1' }), run({ ...task, session: 's2' })];
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([0, 0]);
    const store = await files.open();
    for (const doc of docs) {
      await expectKept(store, doc, runs);
      // Each epoch was granted to one session, and only that one wrote under it.
      const owners = new Map<number, string>();
      for (const [i, { lines }] of runs.entries()) {
        for (const line of lines) {
          if (line.kind !== 'fenced' || line.doc !== doc) continue;
          expect(owners.has(line.epoch)).toBe(false);
          owners.set(line.epoch, `s${i + 1}`);
        }
      }
      const log = await readAll(store, doc);
      expect(log).toHaveLength(appendedIn(runs, doc).length);
      for (const op of log) expect(op.peer).toBe(owners.get(op.epoch));
      expect((await store.head(doc))?.epoch).toBe(owners.size);
      expect(new Set(log.map((op) => op.peer)).size).toBe(2);
    }
  });

  it('lose nothing acknowledged when one is killed in the middle of appends', async () => {
    const docs = ['doc-1', 'doc-2', 'doc-3', 'doc-4'];
    const store = await files.open();
    const runs: Run[] = [];
    for (const session of ['s1', 's2', 's3']) {
      const killed = run({ docs, session, fences: 1, appends: 1_000_000 });
      runs.push(killed);
      await killed.said(200);
      killed.kill();
      expect(await killed.ended).toBeNull();
      // The dead leave no lock behind: the next write does not wait for one.
      await newDocument(store, session);
      for (const doc of docs) await expectKept(store, doc, runs);
    }
    await files.closeAll();
    const again = await files.open();
    for (const doc of docs) await expectKept(again, doc, runs);
  });

  it('end by themselves, closed or not', async () => {
    const task = { docs: ['doc-1'], fences: 1, appends: 3 };
    const closed = run({ ...task, session: 's1' });
    const left = run({ ...task, docs: ['doc-2'], session: 's2', leavesOpen: true });
    expect(await Promise.all([closed.ended, left.ended])).toEqual([0, 0]);
    const store = await files.open();
    await expectKept(store, 'doc-1', [closed]);
    await expectKept(store, 'doc-2', [left]);
    expect(await readAll(store, 'doc-2')).toHaveLength(3);
  });
});
