import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Cache } from '../../src/runtime/cache/cache.ts';
import type { BackplaneNode } from '../../src/runtime/node.ts';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let cluster: NodeCluster;
let cli: CommandLine;
let nodes: BackplaneNode[];
let caches: Cache<string>[];

beforeAll(async () => {
  cluster = await startNodeCluster();
  nodes = [await cluster.node('node-a'), await cluster.node('node-b')];
  caches = nodes.map((node) => node.caches.create<string>({ region: 'users', l2: {} }));
  cli = commandLine({ BACKPLANE_URL: cluster.url });
  const states = async () => {
    const { stdout } = await cli.run('inspect', 'cache', '-o', 'jsonl');
    return [...stdout.matchAll(/"state":"(\w+)"/g)].map((match) => match[1]);
  };
  await vi.waitFor(async () => expect(await states()).toEqual(['current', 'current']), 10_000);
});

afterAll(async () => {
  await cli?.stop();
  await cluster?.stop();
});

const fill = (key: string, value: string) => {
  return Promise.all(caches.map((cache) => cache.get(key, () => value)));
};
const held = (key: string) => caches.map((cache) => cache.peek(key) ?? null);

describe('cache evict', () => {
  test('evicts a key, a prefix, a region and everything on every node', async () => {
    const cases: [string[], string[]][] = [
      [['u:1', '--region', 'users'], ['u:1']],
      [
        ['u:', '--region', 'users', '--by-prefix'],
        ['u:1', 'u:2'],
      ],
      [
        ['--region', 'users', '--all'],
        ['u:1', 'u:2', 'v:1'],
      ],
      [['--all'], ['u:1', 'u:2', 'v:1']],
    ];
    for (const [args, gone] of cases) {
      for (const key of ['u:1', 'u:2', 'v:1']) await fill(key, 'x');
      const { code, json } = await cli.run('cache', 'evict', ...args, '-o', 'json');
      expect(code).toBe(0);
      expect(json()).toMatchObject({ schemaVersion: 1, evictions: [{ region: 'users' }] });
      await vi.waitFor(() => {
        const left = ['u:1', 'u:2', 'v:1'].filter((key) => held(key).some((one) => one !== null));
        expect(left).toEqual(['u:1', 'u:2', 'v:1'].filter((key) => !gone.includes(key)));
      });
    }
  });

  test('of a region nobody has ends with 4, and of nothing in particular with 2', async () => {
    const unknown = await cli.run('cache', 'evict', 'k', '--region', 'nobodys');
    expect(unknown).toMatchObject({ code: 4 });
    expect(unknown.stderr).toContain('BP-CACHE-REGION-UNKNOWN');
    for (const args of [
      [],
      ['k'],
      ['--region', 'users'],
      ['k', '--region', 'users', '--all'],
      ['--by-prefix', '--region', 'users'],
      ['k', '--region', 'two words'],
    ]) {
      expect(await cli.run('cache', 'evict', ...args)).toMatchObject({ code: 2 });
    }
  });
});

describe('cache probe', () => {
  test('says what each node holds, and who holds something else', async () => {
    await fill('p:1', 'one');
    const probe = async (key: string) =>
      (await cli.run('cache', 'probe', key, '--region', 'users', '-o', 'json')).json();
    const before = await probe('p:1');
    expect(before).toMatchObject({
      key: 'p:1',
      silent: [],
      nodes: [
        { nodeId: 'node-a', verdict: 'current', held: true, behind: 0 },
        { nodeId: 'node-b', verdict: 'current', hash: before.sharedHash },
      ],
    });
    await cluster.redis.cli('DEL', 'backplane:cache:{c-users}:value:p%3A1');
    await caches[0]?.evict('p:2');
    expect(await probe('p:9')).toMatchObject({ nodes: [{ verdict: 'absent' }, {}] });
    const shown = await cli.run('cache', 'probe', 'p:1', '--region', 'users');
    expect(shown.stdout).toMatch(/^node-a +current +[0-9a-f]{12} +loaded .* ago +eviction \d+$/m);
    const unknown = await cli.run('cache', 'probe', 'p:1', '--region', 'nobodys');
    expect(unknown).toMatchObject({ code: 4 });
    expect(await cli.run('cache', 'probe', 'p:1')).toMatchObject({ code: 2 });
  });

  test('names a node that does not answer, and ends with 11', async () => {
    const third = await cluster.node('node-c');
    third.caches.create({ region: 'users' });
    await third.stop('crash');
    const args = ['--region', 'users', '-o', 'json', '--timeout', '2s'];
    const probe = await cli.run('cache', 'probe', 'p:1', ...args);
    expect(probe).toMatchObject({ code: 11 });
    expect(probe.json()).toMatchObject({ silent: ['node-c'] });
    const listing = await cli.run('inspect', 'cache', '--timeout', '2s');
    expect(listing).toMatchObject({ code: 11 });
    expect(listing.stderr).toContain('node-c');
    await cli.run('node', 'evict', 'node-c', '--force');
  });
});

describe('inspect cache', () => {
  test('lists every region of every node with the keys scripts rely on', async () => {
    await fill('i:1', 'one');
    const { code, json } = await cli.run('inspect', 'cache', '-o', 'json');
    expect(code).toBe(0);
    const { caches: rows } = json() as { caches: Record<string, unknown>[] };
    expect(rows.map(({ nodeId, region }) => [nodeId, region])).toEqual([
      ['node-a', 'users'],
      ['node-b', 'users'],
    ]);
    for (const row of rows) {
      expect(row).toMatchObject({ state: 'current', echoFactor: 1, gaps: 0, flushes: 0 });
    }
    const table = await cli.run('inspect', 'cache', '--filter', 'nodeId=node-a');
    expect(table.stdout).toMatch(/^REGION +NODE +STATE +SIZE +HITS +MISSES +HIT RATE/);
    expect(table.stdout).toMatch(/^users +node-a +current /m);
  });
});

describe('tail --cache', () => {
  test('shows each eviction with its publisher, its sequence and its number', async () => {
    const tail = cli.start('tail', '--cache', 'users', '-n', '3', '-o', 'jsonl');
    await vi.waitFor(async () => {
      const counted = await cluster.redis.cli('PUBSUB', 'NUMSUB', 'backplane:cache:users');
      expect(Number(counted.split(/\s+/).at(-1) || counted.split(/\s+/).at(-2))).toBe(3);
    }, 10_000);
    await caches[0]?.evict('t:1');
    await caches[1]?.evictPrefix('t:\u202e');
    await caches[0]?.evictRegion();
    const { code, lines } = await tail.ended;
    expect(code).toBe(0);
    const told = lines().map(({ type, scope, key, nodeId }) => [type, scope, key, nodeId]);
    expect(told).toEqual([
      ['evict', 'key', 't:1', 'node-a'],
      ['evict', 'prefix', 't:\u202e', 'node-b'],
      ['evict', 'region', null, 'node-a'],
    ]);
    const [first, , third] = lines() as { sequence: number; stamp: number }[];
    expect([third!.sequence - first!.sequence, third!.stamp - first!.stamp]).toEqual([1, 2]);
  });

  test('of an unknown region ends with 4, of all waits for what comes', async () => {
    expect(await cli.run('tail', '--cache', 'nobodys')).toMatchObject({ code: 4 });
    const tail = cli.start('tail', '--cache', '--wait', '20s', '-n', '1');
    await vi.waitFor(async () => {
      await caches[0]?.evict('all:1');
      expect(tail.stdout()).toMatch(/users {2}eviction \d+ {2}all:1 {2}by node-a, its \d+/);
    }, 10_000);
    expect(await tail.ended).toMatchObject({ code: 0 });
    expect(await cli.run('tail')).toMatchObject({ code: 2 });
  });
});
