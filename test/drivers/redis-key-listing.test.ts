import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisKeys } from '../../src/drivers/redis/keys.ts';
import type { RedisEngine } from '../../src/drivers/redis/redis-engine.ts';
import { listRedisKeys } from '../../src/drivers/redis/redis-key-listing.ts';
import { parseEngineUrl } from '../../src/foundation/url.ts';
import type { KeyRow } from '../../src/ports/tap.ts';
import { someDescription } from '../conformance/engine-fixture.ts';
import { collect } from '../conformance/law-suite.ts';
import { appendTo, newDocument } from '../conformance/store-steps.ts';
import type { Happening } from '../support/history-text.ts';
import { freshPrefix, RedisEngines } from '../support/redis-engines.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { sqliteMachine as machine } from '../support/sqlite-folder.ts';
import { verdictOf } from '../verification/support/law-verdicts.ts';

let server: RedisServer;
let engine: RedisEngine;
let client: Redis;
let prefix: string;
const engines = new RedisEngines();

beforeAll(async () => {
  server = await startRedisServer();
  client = new Redis(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});
beforeEach(async () => {
  prefix = `${freshPrefix()}a_b:`;
  engine = await engines.open(server.url, prefix, 4);
});
afterEach(() => engines.closeAll());

function list(): Promise<KeyRow[]> {
  const url = parseEngineUrl(server.url);
  if (url.kind !== 'redis') throw new Error(`${server.url} is not a Redis URL`);
  return collect(listRedisKeys(url.address, { ...machine, prefix }));
}

const openSession = (id: string, ttlMs = 60_000) =>
  engine.sessions.open({ id, token: 't', ttlMs, description: someDescription });

/** The law's verdict when these sessions are known to be dead. */
async function leftBehind(...dead: string[]) {
  const rows = await list();
  const history: Happening[] = [
    ...dead.map((session) => ({ ev: 'session.gone', session })),
    ...rows.map((row) => ({ ev: 'final.key', ...row })),
    { ev: 'final.keys', count: rows.length },
  ];
  const { outcome, counterexamples } = await verdictOf('nothing-left-behind', history, {
    cleanupMs: 0,
  });
  return { outcome, claims: counterexamples.map(({ claim }) => claim) };
}

async function sweepAll(): Promise<void> {
  for (let id = await engine.sessions.takeSweep(60_000); id; ) {
    for (let from: string | null = null; ; ) {
      from = (await engine.leases.sweep(id, from)).next;
      if (from === null) break;
    }
    while (!(await engine.registry.clear(id)).done);
    await engine.sessions.finishSweep(id);
    id = await engine.sessions.takeSweep(60_000);
  }
}

describe('the listing of keys', () => {
  it('says what every key of a cluster is for, and whose it is', async () => {
    await openSession('alive');
    await openSession('dead');
    await engine.sessions.fence('dead', 0, 'fenced');
    await engine.leases.claim('doc-1', null, 'alive');
    const store = engine.openStore();
    const doc = await newDocument(store, 'alive');
    await appendTo(store, doc, 'alive', 1);
    await client.set(`${prefix}stray`, 'x');
    await client.set(`${prefix.replace('_', '-')}foreign`, 'x');
    const rows = await list();
    const keys = new RedisKeys(prefix);
    const rowOf = new Map(rows.map((row) => [row.key, row]));
    expect(rowOf.get(keys.session('alive'))).toMatchObject({ role: 'session', session: 'alive' });
    expect(rowOf.get(keys.session('alive'))?.ttlMs).toBeGreaterThan(1_000);
    expect(rowOf.get(keys.tombstone('dead'))).toMatchObject({ role: 'session', session: 'dead' });
    expect(rowOf.get(keys.tombstone('dead'))?.ttlMs).toBeGreaterThan(1_000);
    expect(rowOf.get(keys.head(doc))).toMatchObject({ role: 'log', ttlMs: null });
    expect(rowOf.get(keys.log(doc))).toMatchObject({ role: 'log' });
    expect(rowOf.get(keys.documents)).toMatchObject({ role: 'log' });
    expect(rowOf.get(keys.boot)).toMatchObject({ role: 'cluster', session: null });
    expect(rowOf.get(`${keys.leasesOf('doc-1', 4)} "doc-1"`)).toMatchObject({
      ...{ role: 'lease', session: 'alive', ttlMs: null },
    });
    expect(rowOf.get(`${keys.descriptions} dead`)?.ttlMs).toBeGreaterThan(1_000);
    expect(rowOf.get(`${keys.unswept} dead`)).toMatchObject({ session: 'dead', ttlMs: null });
    const others = rows.filter(({ role }) => role === 'other');
    expect(others.map(({ key }) => key)).toEqual([`${prefix}stray`]);
    expect(rowOf.size).toBe(rows.length);
  });

  it('names every key once, however many there are', async () => {
    const store = engine.openStore();
    await Promise.all(Array.from({ length: 1_500 }, () => newDocument(store, 's1')));
    const rows = await list();
    expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
    expect(rows).toHaveLength(1_501);
    expect(rows.length).toBe((await client.keys(`${prefix}*`)).length);
  });

  it('shows records of a dead session until they are swept', async () => {
    await openSession('alive');
    await openSession('dead');
    for (let at = 0; at < 20; at++) {
      await engine.leases.claim(`doc-${at}`, null, at % 2 ? 'alive' : 'dead');
    }
    expect(await leftBehind()).toMatchObject({ outcome: 'holds' });
    await engine.sessions.fence('dead', 0, 'fenced');
    const before = await leftBehind('dead');
    expect(before.outcome).toBe('violated');
    expect(before.claims.join('\n')).toMatch(/leases:\{l\d\} "doc-\d+".* of the dead session dead/);
    await sweepAll();
    expect(await leftBehind('dead')).toMatchObject({ outcome: 'holds' });
  });

  it('shows what a dead session has registered until it is swept', async () => {
    for (const session of ['alive', 'dead']) {
      await openSession(session);
      const changes = [{ id: 'c-1', record: '{}' }];
      await engine.registry.write({ session, hub: 'main', from: 0, version: 1, changes });
      const claim = { name: `n-${session}`, session, token: 't', holder: '{}' };
      await engine.registry.hold(claim, 'refuse');
    }
    expect(await leftBehind()).toMatchObject({ outcome: 'holds' });
    expect((await list()).filter(({ role }) => role === 'other')).toEqual([]);
    await engine.sessions.fence('dead', 0, 'fenced');
    const rows = (await list()).filter(({ session, ttlMs }) => session === 'dead' && !ttlMs);
    const names = rows.map(({ key }) => key.slice(prefix.length)).sort();
    expect(names).toEqual([
      '{s}:hub:main "dead"',
      '{s}:hubs-of:dead',
      '{s}:names "n-dead"',
      '{s}:names-of:dead',
      '{s}:reg:dead:main',
      '{s}:unswept dead',
    ]);
    expect((await leftBehind('dead')).outcome).toBe('violated');
    await sweepAll();
    expect(await leftBehind('dead')).toMatchObject({ outcome: 'holds' });
  });

  it('shows a dead session that nobody buried, and one that nobody will forget', async () => {
    await openSession('silent', 50);
    while ((await client.exists(new RedisKeys(prefix).session('silent'))) > 0) await wait(10);
    const before = await leftBehind('silent');
    expect(before.claims.join('\n')).toContain('expiries silent of the dead session silent');
    await sweepAll();
    expect(await leftBehind('silent')).toMatchObject({ outcome: 'holds' });
    await client.zrem(new RedisKeys(prefix).graves, 'silent');
    const after = await leftBehind('silent');
    expect(after.claims.join('\n')).toContain('descriptions silent of the dead session silent');
  });
});
