import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../support/source-files.ts';

/** A shell with `backplane` in its path, to paste commands into as a user would. */
export interface PasteShell {
  /** Runs a line; fails, showing what it printed, when it exits with something else than 0. */
  paste(line: string): Promise<string>;
  stop(): void;
}

export function openShell(environment: Readonly<Record<string, string>>): PasteShell {
  const folder = mkdtempSync(join(tmpdir(), 'backplane-paste-'));
  const program = join(folder, 'backplane');
  const binary = `${projectRoot}bin/backplane.js`;
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${binary}" "$@"\n`);
  chmodSync(program, 0o755);
  const env = { HOME: '/nonexistent', ...environment, PATH: `${folder}:${process.env.PATH}` };
  return {
    paste: (line) =>
      new Promise((resolve, reject) => {
        execFile(
          '/bin/sh',
          ['-c', line],
          { env, cwd: folder, timeout: 20_000 },
          (error, stdout, stderr) => {
            if (error) reject(new Error(`pasted: ${line}\n${stdout}${stderr}${error.message}`));
            else resolve(stdout);
          },
        );
      }),
    stop: () => rmSync(folder, { recursive: true }),
  };
}
