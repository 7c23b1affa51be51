import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { probes } from '../../src/operations/diagnose/probes.ts';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'backplane-check-'));
let cluster: NodeCluster;
let cli: CommandLine;
/** Wide thresholds: the machine may be busy, and speed is not what is tested. */
const patient = (unit: string) => (unit === 'ms' ? ['--warn', '20s', '--critical', '30s'] : []);

beforeAll(async () => {
  cluster = await startNodeCluster('node-a', 'node-b');
  cli = commandLine({ BACKPLANE_URL: cluster.url });
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await cli?.stop();
  await cluster?.stop();
});

describe('check', () => {
  test.each(
    probes.map((probe) => [probe.name, probe] as const),
  )('%s is ok on a healthy cluster, in every format', async (name, { unit }) => {
    const json = await cli.run('check', name, ...patient(unit), '-o', 'json');
    expect({ code: json.code, stderr: json.stderr }).toEqual({ code: 0, stderr: '' });
    expect(json.json()).toMatchObject({ check: name, state: 'ok', value: expect.any(Number) });
    const nagios = await cli.run('check', name, ...patient(unit), '--format', 'nagios');
    expect(nagios.stdout).toMatch(
      new RegExp(`^${name.toUpperCase()} OK: [^|]+ \\| ${name}=[\\d.]+${unit};\\d+;\\d+\\n$`),
    );
  });

  test('exits 1 and 2 at its thresholds, where less is worse, too', async () => {
    const exits = async (...args: string[]) => (await cli.run('check', ...args)).code;
    expect(await exits('nodes', '--warn', '2', '--critical', '1')).toBe(1);
    expect(await exits('nodes', '--warn', '3', '--critical', '2')).toBe(2);
    expect(await exits('rpc', '--warn', '0ms', '--critical', '30s')).toBe(1);
    expect(await exits('rpc', '--warn', '0ms', '--critical', '0ms')).toBe(2);
    expect(await exits('nodes', '--warn', '1', '--critical', '2')).toBe(2);
  });

  test('exits 2 for a broker that is away, and 3 for what cannot be known then', async () => {
    const away = commandLine({ BACKPLANE_URL: 'redis://127.0.0.1:1' });
    const broker = await away.run('check', 'broker', '--format', 'nagios');
    expect(broker.code).toBe(2);
    expect(broker.stdout).toMatch(/^BROKER CRITICAL: .*ECONNREFUSED/);
    const rpc = await away.run('check', 'rpc', '--format', 'json');
    expect(rpc.code).toBe(3);
    expect(rpc.json()).toMatchObject({ state: 'unknown', value: null });
  });

  test('names who did not answer', async () => {
    const lost = await cluster.node('node-lost');
    await lost.stop('crash');
    const { code, stdout } = await cli.run('check', 'rpc', '--timeout', '2s');
    expect(code).toBe(2);
    expect(stdout).toContain('no answer from node-lost');
    await cli.run('node', 'evict', 'node-lost', '--force');
  });

  test('counts the leases of nobody alive', async () => {
    await cluster.engine.leases.claim('orphan', null, 'ghost');
    const { code, json } = await cli.run('check', 'leases', '--format', 'json');
    await cluster.engine.leases.release('orphan', 'ghost', 0, null);
    expect(code).toBe(1);
    expect(json()).toMatchObject({ value: 1 });
  });

  test('counts connections of nobody alive, which no node will ever clear', async () => {
    await cluster.redis.cli('HSET', 'backplane:{s}:hub:quiet', 'ghost', '7');
    await cluster.redis.cli('HSET', 'backplane:{s}:hubs', 'quiet', 'quiet');
    const { code, json } = await cli.run('check', 'presence', '-o', 'json');
    await cluster.redis.cli('DEL', 'backplane:{s}:hub:quiet', 'backplane:{s}:hubs');
    expect(code).toBe(1);
    expect(json()).toMatchObject({ value: 1, detail: 'broker: left-behind in quiet' });
  });

  test('writes what Prometheus reads, whole and in one step', async () => {
    const file = join(folder, 'backplane.prom');
    const { code, stdout } = await cli.run(
      'check',
      'nodes',
      '--format',
      'prometheus',
      '--file',
      file,
    );
    expect(code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(stdout);
    expect(stdout).toContain('backplane_check_state{check="nodes"} 0\n');
    expect(stdout).toContain('backplane_check_count{check="nodes"} 2\n');
    const samples = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    for (const line of samples) expect(line).toMatch(/^[a-z_]+\{check="nodes"\} [\d.]+$/);
    expect(readdirSync(folder)).toEqual(['backplane.prom']);
  });
});
