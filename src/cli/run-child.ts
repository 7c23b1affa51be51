import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { kill as killProcess } from 'node:process';
import { BackplaneError } from '../foundation/errors.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Environment } from './option-values.ts';

export interface ChildRun {
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
  readonly environment: Environment;
  readonly clock: Clock;
  /** Stops it: SIGTERM, and SIGKILL when it has not ended by then. */
  readonly stop: AbortSignal;
  readonly killAfterMs: number;
  /** On a terminal it must stay in our process group, or it could not read from it. */
  readonly onTerminal: boolean;
}

/**
 * Runs a program with our input and output and answers its exit status as a shell counts it: 128
 * and the signal's number when a signal ended it. Off a terminal what it started is stopped with
 * it. Throws COMMAND_FAILED when it cannot be started.
 */
export function runChild(run: ChildRun): Promise<number> {
  const { command, environment, stop, killAfterMs, clock, onTerminal } = run;
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    if (stop.aborted) return resolve(128 + constants.signals.SIGTERM);
    const child = spawn(program, args, {
      env: { ...environment },
      stdio: 'inherit',
      detached: !onTerminal,
    });
    let timer: Timer | null = null;
    const kill = (signal: NodeJS.Signals) => {
      if (onTerminal || child.pid === undefined) child.kill(signal);
      else killGroup(child.pid, signal);
    };
    const end = () => {
      kill('SIGTERM');
      timer = clock.after(killAfterMs, () => kill('SIGKILL'));
    };
    const settle = () => {
      timer?.cancel();
      stop.removeEventListener('abort', end);
    };
    stop.addEventListener('abort', end, { once: true });
    child.once('error', (cause: NodeJS.ErrnoException) => {
      settle();
      reject(notStarted(program, cause));
    });
    child.once('exit', (status, signal) => {
      settle();
      // What it left running in the background would go on without the lease.
      if (stop.aborted) kill('SIGKILL');
      resolve(signal === null ? (status ?? 1) : 128 + constants.signals[signal]);
    });
  });
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    killProcess(-pid, signal);
  } catch (error) {
    // Everybody in it has ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function notStarted(program: string, cause: NodeJS.ErrnoException): BackplaneError {
  const exitCode = cause.code === 'ENOENT' ? 127 : 126;
  return new BackplaneError('COMMAND_FAILED', `"${program}" cannot be started: ${cause.code}`, {
    cause,
    certainty: 'definite',
    remedy: 'write the command after --, as in: backplane lease hold DOC -- make report',
    facts: { exitCode },
  });
}
