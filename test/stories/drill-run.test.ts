import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readProcess } from '../../src/verification/drills/nodes/read-process.ts';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { descendants } from '../support/descendants.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { type ServedNode, serveNode } from '../support/serve-node.ts';

// A drill starts half a dozen processes, on a machine that may be busy.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

const scenario = (name: string) =>
  fileURLToPath(new URL(`./scenarios/${name}.yaml`, import.meta.url));
let folder: string;
let cli: CommandLine;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backplane-drill-test-'));
  cli = commandLine({ BACKPLANE_DATA_DIR: join(folder, 'data'), TMPDIR: folder });
});

afterEach(async () => {
  await cli.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What drills made in their folder for temporary files. */
const leftovers = async () =>
  (await readdir(folder)).filter((name) => name.startsWith('backplane-drill-'));

describe('drill run', () => {
  test('passes, and says so to people and to programs', async () => {
    const [page, junit, history] = ['page.html', 'junit.xml', 'history.jsonl'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    const ended = await cli.run(
      ...['drill', 'run', scenario('quick-crash'), '--broker', 'redis', '--seed', '7'],
      ...['--report', page, '--junit', junit, '--history', history, '-o', 'json'],
    );
    expect(ended.stderr).toContain('breaking');
    const [report] = ended.json().drills as Record<string, never>[];
    expect(report).toMatchObject({
      ...{ scenario: 'quick-crash', outcome: 'pass', reason: null, seed: 7, history },
      faults: [{ fault: 'kill', target: 'node-1', evidence: expect.stringContaining('SIGKILL') }],
      budgets: [{ name: 'recovery', limitMs: 5_000, kept: true }],
    });
    expect(ended.code).toBe(0);
    expect(await readFile(page, 'utf8')).toContain('<svg');
    expect(await readFile(junit, 'utf8')).toContain('<testsuite name="drill.quick-crash"');
    expect(await leftovers()).toEqual([]);
    const verified = await cli.run('verify', history, '--budget', 'cleanup=4s', '-o', 'json');
    expect(verified.json()).toMatchObject({ outcome: 'holds' });
    const impatient = ['--budget', 'recovery=1ms', '--require', 'recovery-in-time'];
    expect((await cli.run('verify', history, ...impatient)).code).toBe(9);
  });

  test('ends with 9 when a budget is not kept, and says how to repeat it', async () => {
    const ended = await cli.run(
      ...['drill', 'run', scenario('quick-crash'), '--broker', 'redis'],
      ...['--budget', 'p99=1ms'],
    );
    expect(ended.stderr).toContain('over budget: p99');
    expect(ended.stderr).toMatch(/hint: .*drill run .*quick-crash.yaml --seed \d+ --broker redis/);
    expect(ended.code).toBe(9);
  });

  test('ends with 10 when a fault had no effect', async () => {
    const ended = await cli.run('drill', 'run', scenario('no-effect'), '--broker', 'redis');
    expect(ended.stderr).toContain('nothing shows that drop-channel on node-1 took effect');
    expect(ended.code).toBe(10);
  });

  test.each([
    'SIGKILL',
    'SIGINT',
  ] as const)('leaves nothing behind when it is ended by %s', async (signal) => {
    const drill = cli.start('drill', 'run', 'owner-pause');
    await drill.until((_, stderr) => stderr.includes('pause on node-1'));
    const started = descendants(drill.pid);
    // The warden, three nodes, the broker and its server.
    expect(started.length).toBeGreaterThanOrEqual(5);
    drill.kill(signal);
    const { code } = await drill.ended;
    expect(code).toBe(signal === 'SIGINT' ? 130 : 'SIGKILL');
    const alive = () => started.filter((pid) => readProcess(pid) !== null);
    await expect.poll(alive, { timeout: 20_000 }).toEqual([]);
    await expect.poll(leftovers, { timeout: 20_000 }).toEqual([]);
  });
});

describe('drill run --attach', () => {
  test('breaks only what it was allowed to, of the cluster that was named', async () => {
    const redis = await startRedisServer();
    const nodes: ServedNode[] = [];
    try {
      for (const nodeId of ['web-1', 'web-2', 'web-3']) {
        const dials = ['--lease-ttl', '6s', '--heartbeat', '1s', '--node-timeout', '4s'];
        const args = ['--url', redis.url, '--port', '0', '--node-id', nodeId, ...dials];
        nodes.push(await serveNode({ args }));
      }
      const run = (...args: string[]) =>
        cli.run('drill', 'run', '--attach', '--url', redis.url, ...args);
      const unnamed = await run('handover', '--allow', 'move,evict');
      expect(unnamed.code).toBe(2);
      const [, name = ''] = /--cluster (\S+)/.exec(unnamed.stderr) ?? [];
      expect(unnamed.stderr).toContain('3 nodes: web-1, web-2, web-3');

      const unallowed = await run('handover', '--allow', 'move', '--cluster', name);
      expect(unallowed.stderr).toContain('evict is not allowed on this cluster');
      expect(unallowed.code).toBe(2);
      const impossible = await run('owner-crash', '--allow', 'move', '--cluster', name);
      expect(impossible.stderr).toContain('kill cannot be done to a cluster that exists');
      expect(impossible.code).toBe(2);

      const ended = await run('handover', '--allow', 'move,evict', '--cluster', name, '-o', 'json');
      const [report] = ended.json().drills as Record<string, never>[];
      expect(report).toMatchObject({
        ...{ outcome: 'pass', reason: null, cluster: { attached: name, nodes: 3 } },
        faults: [{ fault: 'move' }, { fault: 'evict' }, { fault: 'move' }],
      });
      expect(ended.code).toBe(0);
      expect(nodes.map(({ pid }) => readProcess(pid) !== null)).toEqual([true, true, true]);
    } finally {
      await Promise.all(nodes.map((node) => node.stop()));
      await redis.stop();
    }
  });
});
