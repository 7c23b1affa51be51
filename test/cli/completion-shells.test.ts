import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  completionScripts,
  type Shell,
  shells,
} from '../../src/cli/completion/completion-scripts.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';
import { Pty } from '../support/pty.ts';
import { projectRoot } from '../support/source-files.ts';

// Every tab starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'backplane-shells-'));
const scriptOf = (shell: Shell) => join(folder, `completion.${shell}`);
/** Continuous integration installs all of them; elsewhere those that there are. */
const installed = shells.filter((shell) => spawnSync(shell, ['-c', 'exit 0']).status === 0);

const commands: Readonly<Record<Shell, readonly [string, ...string[]]>> = {
  bash: ['bash', '--norc', '--noprofile', '-i'],
  zsh: ['zsh', '-f', '-i'],
  fish: ['fish', '--no-config', '-i'],
};

/** What a user has in the file that the shell reads at its start. */
const preparations: Readonly<Record<Shell, string>> = {
  bash: `source '${scriptOf('bash')}'`,
  zsh: `autoload -U compinit && compinit -u -D && source '${scriptOf('zsh')}'`,
  fish: `source '${scriptOf('fish')}'`,
};

let cluster: NodeCluster;
const opened: Pty[] = [];

beforeAll(async () => {
  const program = join(folder, 'backplane');
  const binary = `${projectRoot}bin/backplane.js`;
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${binary}" "$@"\n`);
  chmodSync(program, 0o755);
  mkdirSync(join(folder, 'home'));
  for (const shell of installed) writeFileSync(scriptOf(shell), completionScripts[shell]);
  writeFileSync(join(folder, 'a-file-of-mine'), '');
  cluster = await startNodeCluster('node-zebra', 'node-other');
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((pty) => pty.stop()));
});

afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function openShell(shell: Shell): Promise<Pty> {
  const pty = new Pty([], {
    command: commands[shell],
    env: {
      PATH: `${folder}:${process.env.PATH}`,
      HOME: join(folder, 'home'),
      BACKPLANE_URL: cluster.url,
      PS1: 'shell> ',
    },
  });
  opened.push(pty);
  pty.type(`cd '${folder}'; ${preparations[shell]}; echo rea''dy\r`);
  await pty.until((screen) => screen.some((line) => line.trim() === 'ready'));
  return pty;
}

/** Types it and presses tab, again and again as one does on a machine that is slow. */
async function completes(pty: Pty, typed: string, whole: string): Promise<void> {
  pty.type(typed);
  const tab = setInterval(() => pty.type('\t'), 3_000);
  pty.type('\t');
  try {
    await pty.until((screen) => screen.some((line) => line.includes(whole)));
  } finally {
    clearInterval(tab);
  }
}

describe('completion', () => {
  test('is tried in bash at least', () => {
    expect(installed).toContain('bash');
  });

  describe.each(installed)('in %s', (shell) => {
    test('knows commands, nodes of the cluster, and files', async () => {
      const pty = await openShell(shell);
      await completes(pty, 'backplane inspect reach', 'backplane inspect reachability');
      pty.type('\u0015');
      await completes(pty, 'backplane inspect node node-z', 'backplane inspect node node-zebra');
      pty.type('\u0015');
      await completes(
        pty,
        'backplane doctor --from a-fi',
        'backplane doctor --from a-file-of-mine',
      );
    });
  });
});
