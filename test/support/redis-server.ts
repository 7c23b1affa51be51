import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const startTimeoutMs = 10_000;

export interface RedisServerOptions {
  /** Passed to redis-server after ours, so they win: `['--appendonly', 'yes']`. */
  readonly args?: readonly string[];
  /** Where it keeps its files; made and removed by itself when not given. */
  readonly dir?: string;
}

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Sends a signal to the server; resolves once it is gone, or at once for SIGSTOP and SIGCONT. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Kills it without mercy and starts it again on the same port with what it had persisted. */
  restart(): Promise<void>;
  /** Kills it without mercy and starts a new one on the same port, with nothing in it. */
  restartEmpty(): Promise<void>;
  /** Runs redis-cli against it and answers what it printed; throws when it printed an error. */
  cli(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** A real redis-server of its own on a free port of loopback, without persistence unless asked. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const port = await freePort();
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'backplane-redis-')));
  const launch = () => startProcess(port, dir, options.args ?? []);
  let child = await launch();
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') return void child.kill(signal);
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid!;
    },
    kill: end,
    async restart() {
      await end('SIGKILL');
      child = await launch();
    },
    async restartEmpty() {
      await end('SIGKILL');
      for (const file of ['dump.rdb', 'appendonlydir']) {
        await rm(join(dir, file), { recursive: true, force: true });
      }
      child = await launch();
    },
    async cli(...args) {
      const { stdout } = await run('redis-cli', ['-e', '-p', String(port), ...args], {
        maxBuffer: 64 * 1024 * 1024,
      });
      return stdout.replace(/\n$/, '');
    },
    async stop() {
      await end('SIGKILL');
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

async function startProcess(
  port: number,
  dir: string,
  args: readonly string[],
): Promise<ChildProcess> {
  const child = spawn(
    'redis-server',
    [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--daemonize', 'no'],
      ...['--save', '', '--appendonly', 'no', ...args],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4_096);
  };
  child.stdout!.on('data', keep);
  child.stderr!.on('data', keep);
  let failure: Error | null = null;
  child.on('error', (error) => {
    failure = new Error('redis-server could not be started: is it installed?', { cause: error });
  });
  const deadline = performance.now() + startTimeoutMs;
  while (performance.now() < deadline) {
    if (failure) throw failure;
    if (child.exitCode !== null) throw new Error(`redis-server ended at once:\n${output}`);
    if (output.includes('Ready to accept connections') && (await listens(port))) return child;
    await wait(10);
  }
  child.kill('SIGKILL');
  throw new Error(`redis-server did not listen within ${startTimeoutMs} ms:\n${output}`);
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
