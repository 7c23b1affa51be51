import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Finding } from '../../../src/operations/diagnose/check.ts';
import { type CommandLine, commandLine } from '../../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../../support/node-cluster.ts';
import { runInProcess } from './cli-world.ts';
import { clusterDoors } from './cluster-doors.ts';
import { openShell, type PasteShell } from './paste.ts';
import { openWard, type Sickness } from './ward.ts';

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

interface Doctored {
  readonly code: number | string;
  readonly found: readonly Finding[];
}

/** By the real binary. */
async function findings(prefix = 'backplane:'): Promise<Doctored> {
  const { code, stdout, stderr } = await cli.run('doctor', '--prefix', prefix, '-o', 'json');
  expect(stderr).toBe('');
  return { code, found: worthMending(stdout) };
}

/** In this process: asked again and again, starting it would take longer than what it does. */
async function findingsNow(prefix = 'backplane:'): Promise<readonly Finding[]> {
  const doors = clusterDoors();
  const { stdout, stderr } = await runInProcess(['doctor', '--prefix', prefix, '-o', 'json'], {
    ...{ environment: { BACKPLANE_URL: cluster.url }, doors },
  });
  expect(stderr).toBe('');
  return worthMending(stdout);
}

function worthMending(stdout: string): Finding[] {
  const { findings: all } = JSON.parse(stdout) as { findings: Finding[] };
  return all.filter(({ severity }) => severity !== 'note');
}

/** Each is brought about, found, and mended by pasting what was printed about it. */
export function findsAndMends(sicknesses: readonly Sickness[]): void {
  test.each(
    sicknesses.map((each) => [each.what, each] as const),
  )('finds %s, and what it prints mends it', async (_, sickness) => {
    const ward = openWard(cluster);
    const code = `BP-CHECK-${sickness.code}`;
    try {
      await sickness.bring(ward);
      const sick = await findings(sickness.prefix);
      expect(sick.found.map((each) => each.code)).toContain(code);
      const severity = sick.found.find((each) => each.code === code)?.severity;
      expect(severity).toBe(sickness.exit === 1 ? 'warning' : 'critical');
      expect(sick.code).not.toBe(0);
      const printed = sick.found.filter((each) => [code, sickness.also].includes(each.code));
      const commands = printed.flatMap(({ mend }) => mend);
      expect(commands.length).toBeGreaterThan(0);
      for (const command of commands) await shell.paste(command);
      await vi.waitFor(
        async () =>
          expect((await findingsNow(sickness.prefix)).map((each) => each.code)).not.toContain(code),
        { timeout: 40_000, interval: 300 },
      );
    } finally {
      await ward.close();
    }
  });
}
