import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { type ServedNode, serveNode } from '../support/serve-node.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

const short = ['--duration', '500ms', '--warm-up', '100ms', '--documents', '3'];
let redis: RedisServer;
let cli: CommandLine;
let nodes: ServedNode[];
let folder: string;

beforeAll(async () => {
  redis = await startRedisServer();
  folder = mkdtempSync(join(tmpdir(), 'backplane-bench-'));
  const env = { BACKPLANE_URL: redis.url };
  const serve = (id: string) => serveNode({ args: ['--node-id', id, '--port', '0'], env });
  nodes = [await serve('web-1'), await serve('web-2')];
  cli = commandLine({ ...env, PATH: process.env.PATH ?? '' });
});

afterAll(async () => {
  await cli?.stop();
  await Promise.all(nodes?.map((node) => node.stop()) ?? []);
  await redis?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('bench on a cluster that runs', () => {
  test.each(['rpc', 'ops', 'fanout', 'awareness', 'leases', 'inspect'])('%s', async (work) => {
    const { code, stderr, json } = await cli.run('bench', work, ...short, '-o', 'json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = json();
    expect(report).toMatchObject({ schemaVersion: 1, work, nodes: 2, documents: 3, failed: 0 });
    expect(report.done).toBeGreaterThan(0);
    const { p50Ms, p99Ms, maxMs } = report.latency as Record<string, number>;
    expect(p50Ms).toBeGreaterThan(0);
    expect(p99Ms).toBeLessThanOrEqual(maxMs as number);
    expect((report.cpu as Record<string, number>).brokerUs).toBeGreaterThan(0);
  });

  test('counts every delivery to every follower', async () => {
    const args = ['--rate', '20', '--followers', '4', ...short, '-o', 'json'];
    const report = (await cli.run('bench', 'fanout', ...args)).json();
    expect(report).toMatchObject({ done: 40, failed: 0, wantedRate: 20 });
  });

  test('holds an assertion, and exits 9 for one that does not hold', async () => {
    const good = await cli.run('bench', 'rpc', ...short, '--assert', 'p99<30s,failed<1');
    expect(good).toMatchObject({ code: 0, stderr: '' });
    const bad = await cli.run('bench', 'rpc', ...short, '--assert', 'rate>100000000');
    expect(bad.code).toBe(9);
    expect(bad.stderr).toMatch(/rate>100000000: it is \d+(\.\d)? \[BP-ASSERTION-FAILED\]/);
  });

  test('shows what changed since an earlier run', async () => {
    const { stdout } = await cli.run('bench', 'rpc', ...short, '-o', 'json');
    const file = join(folder, 'earlier.json');
    writeFileSync(file, stdout);
    const { code, stdout: shown } = await cli.run('bench', 'rpc', ...short, '--compare', file);
    expect(code).toBe(0);
    expect(shown).toMatch(/^p99 .* x \d+\.\d\d$/m);
  });

  test.each([
    ['a report that is none', ['rpc', '--compare', 'package.json'], 2, 'is no report of bench'],
    ['a report that is not there', ['rpc', '--compare', 'nowhere'], 2, 'cannot read "nowhere"'],
    ['a cluster of its own by half', ['rpc', '--nodes', '2'], 2, 'go with --start'],
    ['to kill a node of a cluster that runs', ['takeover'], 2, 'takes --start'],
    ['both loops', ['rpc', '--rate', '1', '--concurrency', '1'], 2, 'either'],
    ['nothing at all', ['rpc', '--rate', '0'], 2, '--rate: at least 1'],
    ['other work', ['dance'], 2, 'is none of rpc'],
  ])('refuses %s', async (_, args, code, words) => {
    const ended = await cli.run('bench', ...args);
    expect(ended).toMatchObject({ code, stderr: expect.stringContaining(words) });
  });
});

describe('bench takeover', () => {
  test('kills the owner in a cluster of its own, and leaves nothing of it', async () => {
    const args = ['--start', '--nodes', '2', '--documents', '20', '-o', 'json'];
    const { code, stderr, json } = await cli.run('bench', 'takeover', ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = json();
    expect(report).toMatchObject({ work: 'takeover', unit: 'documents', done: 20, failed: 0 });
    const { firstAnswerMs, lastAnswerMs } = report.extras as Record<string, number>;
    expect(firstAnswerMs).toBeGreaterThan(0);
    expect(lastAnswerMs).toBeGreaterThanOrEqual(firstAnswerMs as number);
  });
});
