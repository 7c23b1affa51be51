import { describe, expect, it } from 'vitest';
import { MemoryLogs, MemoryStore } from '../../../src/drivers/memory/memory-store.ts';
import { limits } from '../../../src/foundation/limits.ts';
import type { LeaseRow } from '../../../src/ports/inspector.ts';
import type { KeyRow } from '../../../src/ports/tap.ts';
import {
  recordKeys,
  recordLeases,
  recordLogs,
} from '../../../src/verification/drills/final-reading.ts';
import type { Recordable } from '../../../src/verification/history-event.ts';
import { SeededRandom } from '../../../src/verification/seeded-random.ts';
import { appendTo, newDocument } from '../../conformance/store-steps.ts';

function openStore() {
  return new MemoryStore(new MemoryLogs(new SeededRandom(1)));
}

function recording() {
  const events: Recordable[] = [];
  return { events, recorder: { record: (event: Recordable) => void events.push(event) } };
}

async function* pages<T>(...each: T[][]): AsyncIterable<T[]> {
  yield* each;
}

describe('what is left of logs', () => {
  it('is every op in order, over as many pages as it takes, and then the end', async () => {
    const store = openStore();
    const { events, recorder } = recording();
    const doc = await newDocument(store, 's1');
    const count = limits.readOpsMax + 50;
    for (let at = 0; at < count; at += 350) await appendTo(store, doc, 's1', 350);
    await recordLogs(store, [doc, 'never written'], recorder);
    expect(events.filter((event) => event.ev === 'final.head')).toEqual([
      { ev: 'final.head', doc: 'never written', seq: 0 },
      { ev: 'final.head', doc, seq: count },
    ]);
    const ops = events.filter((event) => event.ev === 'final.op');
    expect(ops.map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, at) => at + 1));
    const [first] = await store.read(doc, 0, 1);
    expect(ops[0]).toEqual({
      ...{ ev: 'final.op', doc, seq: 1, epoch: 1 },
      opId: `${first?.peer}:${first?.counter}`,
    });
  });

  it('has no end that could not be read', async () => {
    const store = openStore();
    const doc = await newDocument(store, 's1');
    await store.close();
    const { events, recorder } = recording();
    await expect(recordLogs(store, [doc], recorder)).rejects.toMatchObject({ code: 'CLOSED' });
    expect(events).toEqual([]);
  });
});

it('shows the leases that are held, and only those that are asked for', async () => {
  const row = (doc: string, state: LeaseRow['state']) => ({ doc, state, session: 's', epoch: 1 });
  const leases = () => pages([row('a', 'held'), row('b', 'claimed')], [row('c', 'held')]);
  const { events, recorder } = recording();
  await recordLeases({ leases }, recorder);
  await recordLeases({ leases }, recorder, (doc) => doc !== 'a');
  expect(events).toEqual([
    { ev: 'registration.view', viewer: 'inspect leases', ids: ['lease:a', 'lease:c'] },
    { ev: 'registration.view', viewer: 'inspect leases', ids: ['lease:c'] },
  ]);
});

describe('the keys of a broker', () => {
  const row: KeyRow = { key: 'k', role: 'session', session: 's', ttlMs: 5 };

  it('are listed one by one, and counted', async () => {
    const { events, recorder } = recording();
    await recordKeys(pages([row], [row, row]), recorder);
    expect(events).toHaveLength(4);
    expect(events[0]).toEqual({ ev: 'final.key', ...row });
    expect(events.at(-1)).toEqual({ ev: 'final.keys', count: 3 });
  });

  it('are not said to be all when the listing broke off', async () => {
    async function* broken() {
      yield [row];
      throw new Error('the broker is gone');
    }
    const { events, recorder } = recording();
    await expect(recordKeys(broken(), recorder)).rejects.toThrow('gone');
    expect(events.map(({ ev }) => ev)).toEqual(['final.key']);
  });
});
