import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../bin/backplane.js', import.meta.url));

export interface ServedNode {
  readonly nodeId: string;
  readonly pid: number;
  readonly session: string;
  /** `http://127.0.0.1:PORT`. */
  readonly address: string;
  /** Every line it printed so far, the ready line first. */
  readonly lines: Readonly<Record<string, unknown>>[];
  readonly stderr: () => string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** Ends it whatever state it is in. */
  stop(): Promise<void>;
}

export interface ServeOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const readyMsMax = 20_000;

/** Starts the real binary as a node and waits for its ready line. */
export async function serveNode({ args, env = {} }: ServeOptions): Promise<ServedNode> {
  const child = spawn(process.execPath, [bin, 'serve', '-o', 'jsonl', ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const ended = once(child, 'exit').then(([code, signal]) => code ?? signal);
  const lines: Record<string, unknown>[] = [];
  const ready = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line));
    ready.resolve();
  });
  const late = setTimeout(() => ready.reject(new Error(`not ready: ${errors}`)), readyMsMax);
  ended.then((how) => ready.reject(new Error(`serve ended with ${how}: ${errors}`)));
  try {
    await ready.promise;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(late);
  }
  const { nodeId, session, address } = lines[0] as Record<string, string>;
  return {
    nodeId: nodeId as string,
    pid: child.pid as number,
    session: session as string,
    address: address as string,
    lines,
    stderr: () => errors,
    kill: (signal) => void child.kill(signal),
    ended,
    stop: () => stop(child, ended),
  };
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    // A stopped process does not hear SIGKILL's sender wait, but it does die of it.
    child.kill('SIGKILL');
    await ended;
  }
}
