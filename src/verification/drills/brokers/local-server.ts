import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { BackplaneError } from '../../../foundation/errors.ts';
import { sleep } from '../../../ports/clock.ts';
import { askServer, readInfo } from './ask-server.ts';
import type { BrokerTools, ServerBinary } from './owned-broker.ts';

const answerTimeoutMs = 30_000;
const pollMs = 15;
const lastWordsLengthMax = 2_000;

export interface LocalServerPlace {
  readonly binary: ServerBinary;
  readonly port: number;
  /** Its own: it is emptied. */
  readonly folder: string;
}

export interface LocalServerStart {
  readonly keepData: boolean;
  /** The port of its primary. */
  readonly replicaOf?: number;
}

/**
 * An installed server at one port of loopback, with its files in one folder, over as many runs as
 * it takes. What it acknowledged survives its SIGKILL.
 */
export class LocalServer {
  readonly port: number;
  readonly #place: LocalServerPlace;
  readonly #tools: BrokerTools;
  #run: ServerRun | null = null;

  constructor(place: LocalServerPlace, tools: BrokerTools) {
    this.#place = place;
    this.#tools = tools;
    this.port = place.port;
  }

  get isRunning(): boolean {
    return this.#run !== null && !this.#run.hasEnded;
  }

  /** Resolves when it answers and has loaded what it has. */
  async start(options: LocalServerStart): Promise<void> {
    await this.kill();
    const { folder, binary } = this.#place;
    if (!options.keepData) await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const run = new ServerRun(binary, settingsOf(this.#place, options), folder, this.#tools);
    this.#run = run;
    try {
      await this.#untilItAnswers(run);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  async kill(): Promise<void> {
    const run = this.#run;
    await run?.kill();
    if (this.#run === run) this.#run = null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#run?.signal(signal);
  }

  ask(...words: string[]): Promise<unknown> {
    return askServer(this.port, words);
  }

  info(section: string): Promise<Map<string, string>> {
    return readInfo(this.port, section);
  }

  async #untilItAnswers(run: ServerRun): Promise<void> {
    const { clock } = this.#tools;
    const startedMs = clock.monotonicMs();
    while (!run.hasEnded && clock.monotonicMs() - startedMs < answerTimeoutMs) {
      // While it loads it answers PING with a refusal.
      const pong = await this.ask('PING').catch(() => null);
      if (pong === 'PONG' && (await this.#isFrom(run))) return;
      await sleep(clock, pollMs);
    }
    const what = run.hasEnded ? 'does not start' : 'does not answer';
    const why = run.lastWords === '' ? '' : `; it said: ${run.lastWords}`;
    throw new BackplaneError('BACKPLANE_UNREACHABLE', `${this.#place.binary.path} ${what}${why}`, {
      remedy: 'run it by hand to see why',
    });
  }

  async #isFrom(run: ServerRun): Promise<boolean> {
    const facts = await this.info('server').catch(() => null);
    return facts?.get('process_id') === String(run.pid);
  }
}

function settingsOf({ port, folder }: LocalServerPlace, { replicaOf }: LocalServerStart): string[] {
  const settings: Record<string, string> = {
    port: String(port),
    bind: '127.0.0.1',
    'protected-mode': 'yes',
    daemonize: 'no',
    dir: folder,
    save: '',
    appendonly: 'yes',
    // Written to the file before every answer, which is all that a SIGKILL can take away. With
    // `everysec` a write is put off, and answered, while an fsync is under way: a kill in that
    // moment loses it. With `always` the server ends itself when its disk is full.
    appendfsync: 'no',
    'auto-aof-rewrite-percentage': '0',
    'maxmemory-policy': 'noeviction',
    // A replica that is started anew waits for its copy; five seconds by default.
    'repl-diskless-sync': 'yes',
    'repl-diskless-sync-delay': '0',
  };
  const words = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]);
  return replicaOf === undefined ? words : [...words, '--replicaof', '127.0.0.1', `${replicaOf}`];
}

/** One process of a server. */
class ServerRun {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #hasEnded = false;
  #output = '';

  constructor(binary: ServerBinary, settings: string[], folder: string, tools: BrokerTools) {
    // A write beyond a quota on its files must be an error to it, as on a disk that is full, and
    // not its end: so the signal that comes with the error is ignored, by the shell, because
    // Node.js gives every child the usual signals.
    const script = 'trap "" XFSZ; exec "$0" "$@"';
    const child = spawn('/bin/sh', ['-c', script, binary.path, ...settings], {
      cwd: folder,
      env: {},
      // Ctrl-C reaches a whole group of processes, and this one is ended by us.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const { pid } = child;
    if (pid !== undefined) tools.warden.watchProcess(pid);
    const keep = (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-lastWordsLengthMax);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    this.#ended = new Promise((resolve) => {
      const end = () => {
        this.#hasEnded = true;
        if (pid !== undefined) tools.warden.forgetProcess(pid);
        resolve();
      };
      child.once('error', (error) => {
        this.#output += error.message;
        // Without a process there is no exit to wait for.
        if (pid === undefined) end();
      });
      child.once('exit', end);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get lastWords(): string {
    const lines = this.#output.split('\n').filter((line) => line.trim() !== '');
    return lines.slice(-2).join(' / ').slice(0, 500);
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.#hasEnded) this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#ended;
  }
}
