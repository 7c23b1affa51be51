import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SystemClock } from '../../../src/drivers/system/system-clock.ts';
import { HistoryRecorder } from '../../../src/verification/drills/history-recorder.ts';
import { HistoryReader } from '../../../src/verification/history-reader.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backplane-recorder-'));
  path = join(folder, 'history.jsonl');
});

afterEach(() => rm(folder, { recursive: true }));

async function readBack() {
  const reader = new HistoryReader(path);
  const events = reader.push(await readFile(path));
  reader.end();
  return events;
}

it('writes a whole history, in order and with its times', async () => {
  const clock = new VirtualClock();
  const recorder = await HistoryRecorder.open({ path, clock });
  recorder.record({ ev: 'op.invoke', doc: 'd', opId: 'a:1' });
  await clock.advance(1.25);
  recorder.record({ ev: 'op.ok', doc: 'd', opId: 'a:1', seq: 1 });
  expect(recorder.elapsedMs()).toBe(1.25);
  expect(await recorder.close()).toEqual({ events: 2, path });
  expect(await readBack()).toEqual([
    { line: 2, atMs: 0, t: 0, ev: 'op.invoke', doc: 'd', opId: 'a:1' },
    { line: 3, atMs: 1.25, t: 1_250, ev: 'op.ok', doc: 'd', opId: 'a:1', seq: 1 },
  ]);
});

it('shows every event to the witness, at the time that is written', async () => {
  const clock = new VirtualClock();
  const seen: unknown[] = [];
  const witness = (event: { readonly ev: string }, atMs: number) => seen.push([event.ev, atMs]);
  const recorder = await HistoryRecorder.open({ path, clock, witness });
  await clock.advance(7);
  recorder.record({ ev: 'node.up', nodeId: 'a' });
  await recorder.close();
  recorder.record({ ev: 'node.down', nodeId: 'a' });
  expect(seen).toEqual([['node.up', 7]]);
  expect(await readBack()).toHaveLength(1);
});

it('has a readable beginning in the file before it is closed', async () => {
  const recorder = await HistoryRecorder.open({ path, clock: new SystemClock() });
  recorder.record({ ev: 'note', text: 'the drill may be killed now' });
  await vi.waitFor(async () => {
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { v: 1, kind: 'history', unit: 'us' },
      { t: expect.any(Number), ev: 'note', text: 'the drill may be killed now' },
    ]);
  });
  await recorder.close();
});

it('takes far more at once than it may keep, and loses and reorders nothing', async () => {
  const recorder = await HistoryRecorder.open({ path, clock: new SystemClock() });
  const count = 400_000;
  const text = 'x'.repeat(100);
  for (let seq = 1; seq <= count; seq++) {
    recorder.record({ ev: 'deliver', subscriber: text, doc: 'd', seq, opId: `a:${seq}` });
  }
  await recorder.close();
  const events = await readBack();
  expect(events).toHaveLength(count);
  const wrong = events.filter((event, at) => event.ev !== 'deliver' || event.seq !== at + 1);
  expect(wrong).toEqual([]);
}, 30_000);

it('fails when there is no room or no such place, instead of leaving a hole', async () => {
  const clock = new SystemClock();
  const nowhere = HistoryRecorder.open({ path: join(folder, 'no', 'folder'), clock });
  await expect(nowhere).rejects.toMatchObject({ code: 'INCONCLUSIVE' });
  const full = await HistoryRecorder.open({ path: '/dev/full', clock });
  full.record({ ev: 'note', text: 'this does not fit' });
  await expect(full.close()).rejects.toMatchObject({ code: 'INCONCLUSIVE' });
  await expect(full.close()).rejects.toMatchObject({ code: 'INCONCLUSIVE' });
});
