import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../bin/backplane.js', import.meta.url));

export interface Ended {
  /** The exit code, or the signal that ended it. */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as one JSON document. */
  readonly json: () => Record<string, unknown>;
  /** Standard output as JSON lines. */
  readonly lines: () => Record<string, unknown>[];
}

export interface Started {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when what it printed so far satisfies this; fails, showing it, when it never does. */
  until(accepts: (stdout: string, stderr: string) => boolean): Promise<void>;
  type(text: string): void;
  endInput(): void;
  /** Goes away as the reader of its output, as `head` does. */
  stopReading(): void;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

export interface CommandLine {
  /** Runs the real binary to its end. */
  run(...args: string[]): Promise<Ended>;
  runWith(input: string | Buffer, ...args: string[]): Promise<Ended>;
  /** Starts it, and leaves it running. */
  start(...args: string[]): Started;
  /** Ends whatever still runs. */
  stop(): Promise<void>;
}

const untilMsMax = 15_000;

/** The real binary in a bare environment with these variables. */
export function commandLine(environment: Readonly<Record<string, string>>): CommandLine {
  const running = new Set<Started>();
  const start = (...args: string[]): Started => {
    const started = startBinary(args, environment);
    running.add(started);
    started.ended.then(() => running.delete(started));
    return started;
  };
  const runWith = (input: string | Buffer, ...args: string[]) => {
    const started = start(...args);
    started.type(input as string);
    started.endInput();
    return started.ended;
  };
  return {
    run: (...args) => runWith('', ...args),
    runWith,
    start,
    async stop() {
      const left = [...running];
      for (const each of left) each.kill('SIGKILL');
      await Promise.all(left.map(({ ended }) => ended));
    },
  };
}

function startBinary(args: string[], environment: Readonly<Record<string, string>>): Started {
  const child = spawn(process.execPath, [bin, ...args], {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  const heard = () => {
    for (const look of watchers) look();
  };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
    heard();
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
    heard();
  });
  // A command that ends before it has read its input is no failure of the test.
  child.stdin.on('error', () => {});
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code ?? signal,
    stdout,
    stderr,
    json: () => JSON.parse(stdout),
    lines: () =>
      stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
  }));
  ended.then(heard);
  const shown = () => `backplane ${args.join(' ')}\n${stdout}\n${stderr}`;
  return {
    pid: child.pid as number,
    stdout: () => stdout,
    stderr: () => stderr,
    until: (accepts) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => finish(new Error(`never came: ${shown()}`)), untilMsMax);
        const look = () => {
          if (accepts(stdout, stderr)) finish(null);
          else if (child.exitCode !== null) finish(new Error(`it ended: ${shown()}`));
        };
        const finish = (error: Error | null) => {
          clearTimeout(late);
          watchers.delete(look);
          if (error) reject(error);
          else resolve();
        };
        watchers.add(look);
        look();
      }),
    type: (text) => void child.stdin.write(text),
    endInput: () => void child.stdin.end(),
    stopReading: () => void child.stdout.destroy(),
    kill: (signal) => void child.kill(signal),
    ended,
  };
}
