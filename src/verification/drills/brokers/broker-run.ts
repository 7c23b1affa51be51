import { type ChildProcess, spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { BackplaneError } from '../../../foundation/errors.ts';
import { repeat } from '../../../ports/clock.ts';
import { askServer, readInfo } from './ask-server.ts';
import type { BrokerTools } from './owned-broker.ts';

const readyTimeoutMs = 30_000;
const endTimeoutMs = 10_000;
const lookMs = 20;
const complaintsLengthMax = 2_000;

export interface BrokerRunPlace {
  readonly program: readonly string[];
  readonly engine: 'auto' | 'server' | 'wasm';
  readonly searchPath: string;
  readonly port: number;
  /** Its data folder, and its home: no setting of the user's reaches it. */
  readonly folder: string;
}

interface ReadyLine {
  readonly volatile: boolean;
}

/** One run of `backplane broker`: the process that looks after an engine, and the engine. */
export class BrokerRun {
  readonly #child: ChildProcess;
  readonly #port: number;
  readonly #tools: BrokerTools;
  readonly #folder: string;
  readonly #ended: Promise<void>;
  #hasEnded = false;
  #complaints = '';
  /** Null while it is not known, and when the engine is the process itself. */
  #enginePid: number | null = null;
  #ready: ReadyLine | null = null;
  #learning: Promise<void> = Promise.resolve();

  /** Resolves when the engine answers. */
  static async start(place: BrokerRunPlace, tools: BrokerTools): Promise<BrokerRun> {
    await mkdir(place.folder, { recursive: true, mode: 0o700 });
    const run = new BrokerRun(place, tools);
    try {
      await run.#untilReady();
      return run;
    } catch (error) {
      await run.#end();
      throw error;
    }
  }

  private constructor(place: BrokerRunPlace, tools: BrokerTools) {
    const { program, engine, port, folder, searchPath } = place;
    const [command = '', ...script] = program;
    const flags = ['--broker-port', `${port}`, '--data-dir', folder, '--server', engine];
    const child = spawn(command, [...script, 'broker', ...flags, '-o', 'jsonl'], {
      cwd: folder,
      env: { PATH: searchPath, HOME: folder },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#port = port;
    this.#tools = tools;
    this.#folder = realpathSync(folder);
    const { pid } = child;
    if (pid !== undefined) tools.warden.watchProcess(pid);
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#complaints = (this.#complaints + chunk.toString()).slice(-complaintsLengthMax);
    });
    this.#ended = new Promise((resolve) => {
      const end = () => {
        this.#hasEnded = true;
        if (pid !== undefined) tools.warden.forgetProcess(pid);
        resolve();
      };
      child.once('error', (error) => {
        this.#complaints += error.message;
        if (pid === undefined) end();
      });
      child.once('exit', end);
    });
  }

  get volatile(): boolean {
    return this.#ready?.volatile ?? false;
  }

  signal(signal: NodeJS.Signals): void {
    // The keeper first: it would take an engine that ends, or hangs, for one to replace.
    if (!this.#hasEnded) this.#child.kill(signal);
    if (this.#enginePid !== null) signalProcess(this.#enginePid, signal);
  }

  /** Resolves when the keeper has ended; its engine is then ending, too. */
  async kill(): Promise<void> {
    if (!this.#hasEnded) this.#child.kill('SIGKILL');
    await this.#ended;
    // Nobody but the engine itself can say who it is from now on.
    await this.#learning;
    this.signal('SIGKILL');
    this.#forgetEngine();
  }

  /** As one asks it to: whether it has an engine by now, only the keeper knows. */
  async #end(): Promise<void> {
    if (!this.#hasEnded) this.#child.kill('SIGTERM');
    const timer = this.#tools.clock.after(endTimeoutMs, () => this.signal('SIGKILL'));
    await this.#ended;
    timer.cancel();
    this.#forgetEngine();
  }

  async #untilReady(): Promise<void> {
    const { clock } = this.#tools;
    const ready = Promise.withResolvers<void>();
    const lines = createInterface({ input: this.#child.stdout! });
    // Again whenever its engine died and another was started.
    lines.on('line', (line) => {
      this.#ready = JSON.parse(line) as ReadyLine;
      this.#learning = this.#meetEngine();
      void this.#learning.then(ready.resolve);
    });
    void this.#ended.then(() => ready.reject(this.#notReady('ended')));
    const late = () => ready.reject(this.#notReady('does not get ready'));
    const timer = clock.after(readyTimeoutMs, late);
    // The warden should know of the engine before the keeper tells that it is ready.
    const look = repeat(
      clock,
      () => lookMs,
      () => this.#meetEngine(),
    );
    try {
      await ready.promise;
    } finally {
      look.cancel();
      timer.cancel();
    }
  }

  /** An engine with a process of its own is known by where it works: in the folder of this run. */
  async #meetEngine(): Promise<void> {
    try {
      const asked = await askServer(this.#port, ['CONFIG', 'GET', 'dir']);
      if (!String((asked as unknown[])[1]).startsWith(this.#folder)) return;
      const pid = Number((await readInfo(this.#port, 'server')).get('process_id'));
      if (pid === this.#enginePid) return;
      this.#forgetEngine();
      this.#enginePid = pid;
      this.#tools.warden.watchProcess(pid);
    } catch {
      // It does not answer yet, or no longer.
    }
  }

  #forgetEngine(): void {
    if (this.#enginePid !== null) this.#tools.warden.forgetProcess(this.#enginePid);
    this.#enginePid = null;
  }

  #notReady(what: string): BackplaneError {
    const said = this.#complaints.trim().split('\n').at(-1) ?? '';
    const why = said === '' ? '' : `; it said: ${said}`;
    return new BackplaneError('BACKPLANE_UNREACHABLE', `the embedded broker ${what}${why}`, {
      remedy: 'see why in the foreground: backplane broker',
    });
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
