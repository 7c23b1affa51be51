import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ConnectionDoor } from '../../src/runtime/presence/presence-door.ts';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';
import { contentsOf } from '../support/redis-contents.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'backplane-fsck-'));
const silentDoor: ConnectionDoor = {
  message: () => {},
  invoke: async ({ payload }) => payload,
  kicked: () => {},
};

let cluster: NodeCluster;
let cli: CommandLine;

beforeAll(async () => {
  cluster = await startNodeCluster('node-a', 'node-b');
  cli = commandLine({ BACKPLANE_URL: cluster.url });
  for (const doc of ['one', 'two']) await cluster.write(doc, '{"title":"hello"}');
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await cli?.stop();
  await cluster?.stop();
});

const fast = ['--age', '200ms', '-o', 'json'];
const kinds = (report: Record<string, unknown>) =>
  (report.problems as { kind: string; doc: string }[]).map(({ kind, doc }) => `${kind} ${doc}`);

describe('fsck', () => {
  beforeEach(async () => {
    const report = await cli.run('fsck', ...fast);
    expect({ code: report.code, problems: kinds(report.json()) }).toEqual({
      code: 0,
      problems: [],
    });
  });

  test('finds leases of unknown sessions, prints a plan, and changes nothing', async () => {
    const { leases } = cluster.engine;
    await leases.claim('orphan', null, 'ghost');
    const before = await contentsOf(cluster.redis);
    for (const flags of [[], ['--fix']]) {
      const { code, json, stderr } = await cli.run('fsck', ...flags, ...fast);
      expect(code).toBe(9);
      expect(kinds(json())).toEqual(['lease-orphaned orphan']);
      expect(JSON.parse(stderr).error.code).toBe('BP-ASSERTION-FAILED');
    }
    const plan = await cli.run('fsck', '--fix', '--age', '200ms');
    expect(plan.stdout).toContain('would remove the lease of orphan at epoch 0 of ghost');
    expect(await contentsOf(cluster.redis)).toEqual(before);
    await leases.release('orphan', 'ghost', 0, null);
  });

  test('clears the connections of a session that nobody remembers, and no others', async () => {
    const keys = [
      ['backplane:{s}:hub:quiet', 'ghost', '7'],
      ['backplane:{s}:hubs', 'quiet', 'quiet'],
      ['backplane:{s}:hubs-of:ghost', 'quiet', 'quiet'],
      ['backplane:{s}:reg:ghost:quiet', 'c-1', '{}'],
    ];
    const holder = await cluster.node('node-holder');
    holder.presence.register({ user: 'ann', hub: 'quiet' }, silentDoor);
    const versions = () => cluster.engine.registry.versions('quiet');
    await vi.waitFor(async () => expect((await versions()).size).toBe(1));
    for (const key of keys) await cluster.redis.cli('HSET', ...key);
    const plan = await cli.run('fsck', '--fix', ...fast);
    expect(plan.code).toBe(9);
    const ghost = { session: 'ghost', state: 'unknown', hubs: ['quiet'] };
    expect(plan.json()).toMatchObject({ problems: [], registrations: [ghost], cleared: [] });
    const fixed = await cli.run('fsck', '--fix', '--write', ...fast);
    expect(fixed.code).toBe(0);
    expect(fixed.json()).toMatchObject({ cleared: ['ghost'], undoFile: null });
    expect([...(await versions()).keys()]).toEqual([holder.session()]);
  });

  test('mends by compare-and-set, and can put back what it removed', async () => {
    const { leases } = cluster.engine;
    await leases.claim('held', null, 'ghost');
    await leases.confirm({ doc: 'held', session: 'ghost', claimedEpoch: 0, epoch: 7 });
    await leases.claim('given', null, 'ghost');
    await leases.release('given', 'ghost', 0, 'other-ghost');
    const undo = join(folder, 'undo.json');
    const fixed = await cli.run('fsck', '--fix', '--write', '--undo-file', undo, ...fast);
    expect(fixed.code).toBe(0);
    expect(fixed.json().mended).toHaveLength(2);
    expect([await leases.read('held'), await leases.read('given')]).toEqual([null, null]);
    expect(JSON.parse(readFileSync(undo, 'utf8')).removed).toHaveLength(2);
    expect((await cli.run('fsck', '--undo', undo)).code).toBe(0);
    expect(await leases.read('held')).toEqual({ session: 'ghost', epoch: 7, state: 'held' });
    expect(await leases.read('given')).toMatchObject({ session: 'other-ghost', state: 'handed' });
    const again = await cli.run('fsck', '--fix', '--write', '--undo-file', undo, ...fast);
    expect(again.code).toBe(2);
    const other = join(folder, 'other.json');
    expect((await cli.run('fsck', '--fix', '--write', '--undo-file', other, ...fast)).code).toBe(0);
  });

  test('finds a lease that names an epoch the store never granted, and one it never heard of', async () => {
    const { leases } = cluster.engine;
    const session = (await leases.read('one'))?.session ?? '';
    await leases.release('one', session, 1, null);
    await leases.claim('one', null, session);
    await leases.confirm({ doc: 'one', session, claimedEpoch: 0, epoch: 9 });
    await leases.claim('phantom', null, session);
    await leases.confirm({ doc: 'phantom', session, claimedEpoch: 0, epoch: 1 });
    const found = await cli.run('fsck', ...fast);
    expect(kinds(found.json()).sort()).toEqual(['lease-ahead one', 'lease-without-log phantom']);
    const undo = join(folder, 'ahead.json');
    expect((await cli.run('fsck', '--fix', '--write', '--undo-file', undo, ...fast)).code).toBe(0);
  });

  test('finds a log that does not end where its head says, which nothing can mend', async () => {
    const { redis } = cluster;
    const chain = await redis.cli('HGET', 'backplane:doc:{two}:head', 'chain');
    await redis.cli('HSET', 'backplane:doc:{two}:head', 'chain', '0000000000000000');
    const found = await cli.run('fsck', '--fix', '--age', '200ms');
    expect(found.code).toBe(9);
    expect(found.stdout).toMatch(/log-torn +two/);
    expect(found.stdout).toContain('cannot mend two');
    await redis.cli('HSET', 'backplane:doc:{two}:head', 'chain', chain);
  });

  test('takes nothing for wrong that was only under way', async () => {
    const { leases } = cluster.engine;
    await leases.claim('passing', null, 'ghost');
    const running = cli.start('fsck', '--age', '3s', '-o', 'json');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await leases.release('passing', 'ghost', 0, null);
    const { code, json } = await running.ended;
    expect({ code, problems: json().problems }).toEqual({ code: 0, problems: [] });
  });

  test('finds what no list knows, and what is listed and not there, in both directions', async () => {
    const { cli: redis } = cluster.redis;
    const ghost = 'backplane:{s}:sess:ghost-1';
    await redis('HSET', ghost, 'token', 't', 'beat', '0');
    await redis('HSET', 'backplane:{s}:vitals', 'ghost-2', '0 1 x');
    await redis('ZADD', 'backplane:{s}:expiries', '9999999999999', 'ghost-3');
    await redis('ZREM', 'backplane:documents', 'one');
    await redis('XADD', 'backplane:doc:{three}:log', '1-1', 'x', 'y');
    const { code, json } = await cli.run('fsck', ...fast);
    expect(code).toBe(9);
    const faults = json().indexes as { kind: string; name: string; mend: string[][] }[];
    expect(faults.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
      ...['document-gone three', 'document-unlisted one', 'session-gone ghost-3'],
      ...['session-left ghost-2', 'session-unlisted ghost-1'],
    ]);
    for (const { mend } of faults) for (const words of mend) await redis(...words);
    await redis('DEL', 'backplane:doc:{three}:log');
    const after = await cli.run('fsck', ...fast);
    expect({ code: after.code, indexes: after.json().indexes }).toEqual({ code: 0, indexes: [] });
  });
});
