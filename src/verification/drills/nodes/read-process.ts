import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process as the machine sees it. */
export interface ProcessFacts {
  /** Together with the pid it names one process for ever: a pid is used again. */
  readonly startedAt: string;
  /** `R`, `S`, `T` (stopped by a signal) and others. */
  readonly state: string;
}

/** The process with this pid; null when there is none, or when it has ended and only its name is left. */
export function readProcess(pid: number): ProcessFacts | null {
  const facts = process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
  return facts === null || facts.state.startsWith('Z') || facts.state.startsWith('X')
    ? null
    : facts;
}

/** Fields 3 and 22; the second one, the name of the program, can hold spaces and brackets. */
function fromProc(pid: number): ProcessFacts | null {
  let line: string;
  try {
    line = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, startedAt] = [fields[0], fields[19]];
  return state === undefined || startedAt === undefined ? null : { state, startedAt };
}

function fromPs(pid: number): ProcessFacts | null {
  let line: string;
  try {
    line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      // Its dates are written in the language of the user.
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return null;
  }
  const [, state, startedAt] = /^\s*(\S+)\s+(.*\S)/.exec(line) ?? [];
  return state === undefined || startedAt === undefined ? null : { state, startedAt };
}
