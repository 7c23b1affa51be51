import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RedisKeys } from '../../../src/drivers/redis/keys.ts';
import { openRedisTap } from '../../../src/drivers/redis/redis-tap.ts';
import { openSqliteTap } from '../../../src/drivers/sqlite/sqlite-tap.ts';
import { parseEngineUrl } from '../../../src/foundation/url.ts';
import type { Store } from '../../../src/ports/store.ts';
import type { Tap, TapEvent } from '../../../src/ports/tap.ts';
import { leaseRegistration, tapEvents } from '../../../src/verification/drills/tap-events.ts';
import { someDescription } from '../../conformance/engine-fixture.ts';
import { appendTo, newDocument, opsAfter } from '../../conformance/store-steps.ts';
import type { Happening } from '../../support/history-text.ts';
import { freshPrefix, RedisEngines } from '../../support/redis-engines.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';
import { sqliteMachine as machine, SqliteFolder } from '../../support/sqlite-folder.ts';
import { outcomeOf, rejected } from '../support/law-verdicts.ts';

const historyOf = (told: readonly TapEvent[]) =>
  told.flatMap((event) => tapEvents(event)) as readonly unknown[] as readonly Happening[];

describe('what a tap tells', () => {
  const lease = { kind: 'lease.grant', doc: 'd', session: 's', epoch: 3 } as const;

  test('makes a lease a registration of its session until it is gone', () => {
    expect(historyOf([lease, { kind: 'lease.gone', doc: 'd' }])).toEqual([
      { ev: 'lease.grant', doc: 'd', session: 's', epoch: 3 },
      { ev: 'registration.add', id: 'lease:d', session: 's' },
      { ev: 'registration.remove', id: 'lease:d' },
    ]);
  });

  test('blames nobody for a lease that changed hands while nobody looked', async () => {
    const views = (seen: TapEvent[]): Happening[] => [
      ...historyOf([lease, ...seen, { kind: 'session.gone', session: 's' }]),
      { ev: 'registration.view', viewer: 'v', ids: [leaseRegistration('d')], t: 99_000 },
    ];
    expect(await rejected('dead-are-gone', views([]))).toEqual([3, 4, 5]);
    const unseen = { kind: 'unseen', where: 'directory', leases: ['d'] } as const;
    expect(await outcomeOf('dead-are-gone', views([unseen]))).not.toBe('violated');
  });

  test('says when the store was not seen', () => {
    expect(historyOf([{ kind: 'unseen', where: 'store' }])).toEqual([{ ev: 'store.unseen' }]);
  });
});

/** Two owners one after the other, then `late`: an append that the first one still tries. */
async function lateAppend(
  tap: Tap,
  told: TapEvent[],
  store: Store,
  late: (doc: string, op: ReturnType<typeof opsAfter>[number]) => Promise<unknown>,
): Promise<readonly Happening[]> {
  const doc = await newDocument(store, 's1');
  await appendTo(store, doc, 's1', 1);
  await store.fence(doc, 's2', 1);
  const [last] = await appendTo(store, doc, 's2', 1);
  const [op] = opsAfter({ seq: 2, chain: last!.chain }, 1, 1);
  await late(doc, op!);
  await tap.flush();
  return historyOf(told);
}

describe('a store that takes writes of an owner that was fenced off', () => {
  const law = 'no-write-below-epoch';
  let server: RedisServer;
  let client: Redis;
  const engines = new RedisEngines();
  const taps: Tap[] = [];

  beforeAll(async () => {
    server = await startRedisServer();
    client = new Redis(server.url);
  });
  afterEach(async () => {
    await Promise.all(taps.splice(0).map((tap) => tap.close()));
    await engines.closeAll();
  });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  async function listenToRedis(prefix: string) {
    const url = parseEngineUrl(server.url);
    if (url.kind !== 'redis') throw new Error(`${server.url} is not a Redis URL`);
    const told: TapEvent[] = [];
    const witness = (event: TapEvent) => told.push(event);
    const parts = { ...machine, prefix, witness, watchesStore: true };
    const tap = await openRedisTap(url.address, parts);
    taps.push(tap);
    return { tap, told };
  }

  /** Appends as the script does, with or without its check of the fence. */
  function appendScript(prefix: string, isFenced: boolean) {
    const file = new URL('../../../src/drivers/redis/scripts/append-ops.lua', import.meta.url);
    const text = readFileSync(file, 'utf8');
    const check = text.split('\n').find((line) => line.includes("return {'fenced'")) as string;
    const script = isFenced ? text : text.replace(check, '');
    expect(script === text).toBe(isFenced);
    const keys = new RedisKeys(prefix);
    return async (doc: string, op: ReturnType<typeof opsAfter>[number]) => {
      const [seq = '', chain = ''] = await client.hmget(keys.head(doc), 'seq', 'chain');
      const end = [seq ?? '', chain ?? ''];
      const fields = [op.epoch, op.peer, op.counter, op.at, op.chain, Buffer.from(op.payload)];
      const args = [op.epoch, 's1', ...end, '', '', ...fields];
      return client.eval(script, 2, keys.head(doc), keys.log(doc), ...args);
    };
  }

  test('is convicted by what Redis was seen to do, and only then', async () => {
    for (const isFenced of [true, false]) {
      const prefix = freshPrefix();
      const store = (await engines.open(server.url, prefix)).openStore();
      const { tap, told } = await listenToRedis(prefix);
      const history = await lateAppend(tap, told, store, appendScript(prefix, isFenced));
      if (isFenced) expect(await outcomeOf(law, history)).toBe('holds');
      else expect(await rejected(law, history)).toEqual([4, 6]);
    }
  });

  test('is convicted by what SQLite was seen to do', async () => {
    const files = new SqliteFolder();
    const store = await files.open();
    const told: TapEvent[] = [];
    const tap = await openSqliteTap(files.path, {
      ...machine,
      witness: (event) => told.push(event),
    });
    const history = await lateAppend(tap, told, store, async (doc, op) => {
      const db = new DatabaseSync(files.path, { timeout: 2_000 });
      const id = db.prepare('SELECT id FROM documents WHERE doc = ?').get(doc)?.id as number;
      db.exec('BEGIN IMMEDIATE');
      db.prepare('INSERT INTO ops VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
        ...[id, op.seq, op.epoch, op.peer, op.counter, op.at, op.chain, op.payload],
      );
      db.prepare('UPDATE documents SET seq = ?, chain = ? WHERE id = ?').run(op.seq, op.chain, id);
      db.exec('COMMIT');
      db.close();
    });
    expect(await rejected(law, history)).toEqual([4, 6]);
    await tap.close();
    await files.remove();
  });

  test('is not suspected when the broker was restarted empty and nobody saw what came first', async () => {
    const prefix = freshPrefix();
    const engine = await engines.open(server.url, prefix);
    const opening = { token: 't', ttlMs: 60_000, description: someDescription };
    const { tap, told } = await listenToRedis(prefix);
    await engine.sessions.open({ id: 'before', ...opening });
    await engine.leases.claim('d', null, 'before');
    await engine.leases.confirm({ doc: 'd', session: 'before', claimedEpoch: 0, epoch: 1 });
    await server.restartEmpty();
    await expect.poll(() => engine.sessions.open({ id: 'after', ...opening })).toBeTruthy();
    await tap.flush();
    expect(told.filter(({ kind }) => kind !== 'unseen')).toEqual([
      { kind: 'session.open', session: 'before', nodeId: 'node-a' },
      { kind: 'lease.grant', doc: 'd', session: 'before', epoch: 1 },
      { kind: 'session.gone', session: 'before' },
      { kind: 'session.open', session: 'after', nodeId: 'node-a' },
    ]);
    expect(told.filter(({ kind }) => kind === 'unseen')).toEqual([
      { kind: 'unseen', where: 'directory', leases: ['d'] },
      { kind: 'unseen', where: 'store' },
    ]);
  });
});
