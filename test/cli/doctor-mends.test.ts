import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Finding } from '../../src/operations/diagnose/check.ts';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';
import { openShell, type PasteShell } from './support/paste.ts';
import { openWard, sicknesses } from './support/sick-clusters.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let cluster: NodeCluster;
let cli: CommandLine;
let shell: PasteShell;

beforeAll(async () => {
  cluster = await startNodeCluster('node-a', 'node-b');
  await cluster.redis.cli('CONFIG', 'SET', 'appendonly', 'yes');
  const environment = { BACKPLANE_URL: cluster.url };
  cli = commandLine(environment);
  shell = openShell(environment);
});

afterAll(async () => {
  shell?.stop();
  await cli?.stop();
  await cluster?.stop();
});

async function findings(): Promise<{ code: number | string; found: Finding[] }> {
  const { code, json, stderr } = await cli.run('doctor', '-o', 'json');
  expect(stderr).toBe('');
  const all = json().findings as Finding[];
  return { code, found: all.filter(({ severity }) => severity !== 'note') };
}

describe('doctor', () => {
  test.each(
    sicknesses.map((each) => [each.what, each] as const),
  )('finds %s, and what it prints mends it', async (_, sickness) => {
    const ward = openWard(cluster);
    const code = `BP-CHECK-${sickness.code}`;
    try {
      await sickness.bring(ward);
      const sick = await findings();
      expect(sick.found.map((each) => each.code)).toContain(code);
      const severity = sick.found.find((each) => each.code === code)?.severity;
      expect(severity).toBe(sickness.exit === 1 ? 'warning' : 'critical');
      expect(sick.code).not.toBe(0);
      const printed = sick.found.filter((each) => [code, sickness.also].includes(each.code));
      const commands = printed.flatMap(({ mend }) => mend);
      expect(commands.length).toBeGreaterThan(0);
      for (const command of commands) await shell.paste(command);
      await vi.waitFor(
        async () => expect((await findings()).found.map((each) => each.code)).not.toContain(code),
        { timeout: 20_000, interval: 500 },
      );
    } finally {
      await ward.close();
    }
  });
});
