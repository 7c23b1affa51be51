import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { checkCode } from '../../src/operations/diagnose/check.ts';
import { checks } from '../../src/operations/diagnose/checks.ts';
import type { ConnectionDoor } from '../../src/runtime/presence/presence-door.ts';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { serveNode } from '../support/serve-node.ts';
import { runInProcess } from './support/cli-world.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'backplane-doctor-'));
const silentDoor: ConnectionDoor = {
  message: () => {},
  invoke: async ({ payload }) => payload,
  kicked: () => {},
};

let cluster: NodeCluster;
let cli: CommandLine;

beforeAll(async () => {
  cluster = await startNodeCluster('node-a', 'node-b');
  await cluster.redis.cli('CONFIG', 'SET', 'appendonly', 'yes');
  await cluster.write('doc-1', '{"title":"hello"}');
  for (const nodeId of ['node-c', 'node-d']) {
    const node = await cluster.node(nodeId);
    node.presence.register({ user: `user of ${nodeId}` }, silentDoor);
    await node.caches.create({ region: 'users', l2: {} }).get('user:42', () => 'Ada');
  }
  cli = commandLine({ BACKPLANE_URL: cluster.url });
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await cli?.stop();
  await cluster?.stop();
});

describe('doctor', () => {
  test('prints no warning about a healthy cluster, and exits 0', async () => {
    const { code, stdout, stderr } = await cli.run('doctor', '-o', 'json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ schemaVersion: 1, verdict: 'ok', nodes: 4, findings: [] });
    expect(report.checks.map((each: { code: string }) => each.code)).toEqual(checks.map(checkCode));
    const people = await cli.run('doctor');
    expect(people.stdout).toMatch(/^ok {2}4 nodes at redis:.*checks found nothing\n$/);
  });

  test('exits 3 at once where nobody answers', async () => {
    const startedMs = performance.now();
    const { code, stdout, stderr } = await cli.run('doctor', '--url', 'redis://127.0.0.1:1');
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain('[BP-BACKPLANE-UNREACHABLE]');
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  test('judges a saved bundle elsewhere, where nobody is asked', async () => {
    const file = join(folder, 'bundle.json');
    await cluster.redis.cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    const here = await cli.run('doctor', '--save', file, '-o', 'json');
    await cluster.redis.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    expect(here.code).toBe(1);
    const there = await runInProcess(['doctor', '--from', file, '-o', 'json']);
    expect(there).toEqual({ code: 1, stdout: here.stdout, stderr: '' });
  });

  test('keeps no secret in a bundle', async () => {
    const { redis } = cluster;
    const rules = ['reset', 'on', '>canary-pass', '~*', '&*', '+@all'];
    await redis.cli('ACL', 'SETUSER', 'ops', ...rules);
    const file = join(folder, 'secret.json');
    const own = commandLine({
      BACKPLANE_URL: `redis://ops:canary-pass@127.0.0.1:${redis.port}`,
      BACKPLANE_TOKEN: 'canary-token',
    });
    const { code, stdout } = await own.run('doctor', '--save', file);
    await redis.cli('ACL', 'DELUSER', 'ops');
    expect(code).toBe(0);
    expect(readFileSync(file, 'utf8') + stdout).not.toContain('canary');
  });

  test.each([
    '{',
    '{}',
    '{"kind":"backplane-evidence","schemaVersion":1}',
    '[]',
    'null',
  ])('refuses a bundle that holds %s', async (text) => {
    const file = join(folder, 'broken.json');
    writeFileSync(file, text);
    const { code, stderr } = await runInProcess(['doctor', '--from', file]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/the bundle ".*broken.json" .* \[BP-CONFIG-INVALID\]/);
  });

  test('skips what it may not look at, and says which line would allow it', async () => {
    const { redis } = cluster;
    const rules = ['reset', 'on', 'nopass', '~*', '&*', '+@all', '-config|get', '-info', '-acl'];
    await redis.cli('ACL', 'SETUSER', 'narrow', ...rules);
    const url = `redis://narrow:x@127.0.0.1:${redis.port}`;
    const { code, stdout } = await commandLine({ BACKPLANE_URL: url }).run('doctor');
    await redis.cli('ACL', 'DELUSER', 'narrow');
    expect(code).toBe(0);
    expect(stdout).toMatch(/skipped +BP-CHECK-EVICTION .*ACL SETUSER narrow \+config\|get/);
    expect(stdout).toMatch(/skipped +BP-CHECK-ACL .*ACL SETUSER narrow \+acl\|dryrun/);
  });

  test('says of two clients that they are not in one cluster', async () => {
    const other = await startRedisServer();
    const nodes = await Promise.all(
      [cluster.url, other.url].map((url, at) =>
        serveNode({
          args: ['--url', url, '--node-id', `served-${at}`, '--port', '0', '--heartbeat', '500ms'],
        }),
      ),
    );
    try {
      const places = nodes.flatMap(({ address }) => ['--client', address]);
      const { code, json } = await cli.run('doctor', ...places, '-o', 'json');
      expect(code).toBe(2);
      const codes = (json().findings as { code: string; seen: string }[]).filter((each) => {
        return each.code === 'BP-CHECK-TWO-BROKERS';
      });
      expect(codes.map(({ seen }) => seen)).toEqual([
        expect.stringMatching(/^served-1 at .* is in another cluster/),
      ]);
    } finally {
      await Promise.all(nodes.map((node) => node.stop()));
      await other.stop();
    }
  });

  test.each(
    checks.map((check) => [checkCode(check), check] as const),
  )('has help for %s', async (code, check) => {
    const { code: exit, stdout } = await runInProcess(['help', code.toLowerCase()]);
    expect(exit).toBe(0);
    for (const text of [check.title, check.why, check.remedy]) expect(stdout).toContain(text);
  });

  test('has one check for each code', () => {
    expect(new Set(checks.map(({ code }) => code)).size).toBe(checks.length);
  });
});
