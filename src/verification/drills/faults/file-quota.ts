import { execFile } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { BackplaneError } from '../../../foundation/errors.ts';
import { readProcess } from '../nodes/read-process.ts';

const run = promisify(execFile);
const runTimeoutMs = 5_000;
/** The signal that comes with a write beyond the quota, in the mask of /proc. */
const fileSizeSignal = 1n << 24n;

/** Why no process here can be given a quota; null when one can. */
export function noQuotaBecause(): string | null {
  if (process.platform !== 'linux') return 'a quota on the files of a process takes Linux';
  return hasProgram('prlimit') ? null : 'prlimit is not installed (package util-linux)';
}

export interface FileQuota {
  /** Gives back the limit it had, if it still runs. Twice is once. */
  lift(): Promise<void>;
}

/**
 * From now on the process can write nothing to any file, as if every disk were full; pipes and
 * sockets go on. It ends with the process.
 *
 * INCONCLUSIVE for a process that would be ended by it, which no full disk does.
 */
export async function giveNoRoom(pid: number): Promise<FileQuota> {
  const startedAt = readProcess(pid)?.startedAt;
  if (startedAt === undefined) {
    throw new BackplaneError('INCONCLUSIVE', `process ${pid} has ended`);
  }
  if (!ignoresFileSizeSignal(pid)) {
    const what = `process ${pid} would be ended by a quota on its files`;
    throw new BackplaneError('INCONCLUSIVE', what);
  }
  const limit = await prlimit(pid, '--fsize', '--output=SOFT', '--noheadings', '--raw');
  // The soft one alone: raising the hard one again takes a privilege.
  await prlimit(pid, '--fsize=0:');
  let isLifted = false;
  return {
    async lift() {
      if (isLifted || readProcess(pid)?.startedAt !== startedAt) return;
      isLifted = true;
      await prlimit(pid, `--fsize=${limit.trim()}:`);
    },
  };
}

async function prlimit(pid: number, ...words: string[]): Promise<string> {
  try {
    const args = ['--pid', String(pid), ...words];
    return (await run('prlimit', args, { timeout: runTimeoutMs })).stdout;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.trim() : String(cause);
    throw new BackplaneError('INCONCLUSIVE', `no quota for process ${pid}: ${why}`, { cause });
  }
}

function ignoresFileSizeSignal(pid: number): boolean {
  const mask = /^SigIgn:\s*([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return mask !== undefined && (BigInt(`0x${mask}`) & fileSizeSignal) !== 0n;
}

function hasProgram(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
