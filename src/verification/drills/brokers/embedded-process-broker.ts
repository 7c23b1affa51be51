import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { BackplaneError } from '../../../foundation/errors.ts';
import { sleep } from '../../../ports/clock.ts';
import { freePort } from '../free-port.ts';
import { askServer, readInfo } from './ask-server.ts';
import { BrokerRun } from './broker-run.ts';
import type { BrokerTools, OwnedBroker } from './owned-broker.ts';
import { serverTitle } from './server-title.ts';

const goneTimeoutMs = 5_000;
const pollMs = 10;

export interface EmbeddedProgram {
  /** The command that runs this program: Node.js and its script. */
  readonly program: readonly string[];
  readonly engine: 'auto' | 'server' | 'wasm';
  /** The value of PATH, for the installed server. */
  readonly searchPath: string;
}

/**
 * The broker that `serve` starts by itself, in a process of its own. Its engine is that process
 * (WebAssembly) or a child of it; whatever is done here is done to both.
 */
export class EmbeddedProcessBroker implements OwnedBroker {
  readonly kind = 'embedded';
  readonly failOver = null;
  readonly server: string;
  readonly volatile: boolean;
  readonly #embedded: EmbeddedProgram;
  readonly #tools: BrokerTools;
  readonly #port: number;
  readonly #folder: string;
  #run: BrokerRun | null;

  static async start(embedded: EmbeddedProgram, tools: BrokerTools): Promise<OwnedBroker> {
    const port = await freePort(tools.random);
    const folder = join(tools.folder, 'broker');
    const run = await BrokerRun.start({ ...embedded, port, folder }, tools);
    try {
      const title = serverTitle(await readInfo(port, 'server'));
      return new EmbeddedProcessBroker(embedded, tools, { port, folder, run, title });
    } catch (error) {
      await run.kill();
      throw error;
    }
  }

  private constructor(
    embedded: EmbeddedProgram,
    tools: BrokerTools,
    started: { port: number; folder: string; run: BrokerRun; title: string },
  ) {
    const { port, folder, run, title } = started;
    this.#embedded = embedded;
    this.#tools = tools;
    this.#port = port;
    this.#folder = folder;
    this.#run = run;
    this.volatile = run.volatile;
    this.server = run.volatile ? `${title} in WebAssembly` : title;
  }

  port(): number {
    return this.#port;
  }

  async kill(): Promise<void> {
    const run = this.#run;
    await run?.kill();
    if (this.#run === run) this.#run = null;
    await this.#untilNobodyListens();
  }

  async start({ keepData }: { readonly keepData: boolean }): Promise<void> {
    await this.kill();
    if (!keepData) await rm(this.#folder, { recursive: true, force: true });
    const place = { ...this.#embedded, port: this.#port, folder: this.#folder };
    this.#run = await BrokerRun.start(place, this.#tools);
  }

  pause(): void {
    this.#run?.signal('SIGSTOP');
  }

  resume(): void {
    this.#run?.signal('SIGCONT');
  }

  command(...words: string[]): Promise<unknown> {
    return askServer(this.#port, words);
  }

  async close(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** The engine's end cannot be waited for: it is no child of this process. */
  async #untilNobodyListens(): Promise<void> {
    const { clock } = this.#tools;
    const startedMs = clock.monotonicMs();
    while (await listens(this.#port)) {
      if (clock.monotonicMs() - startedMs > goneTimeoutMs) {
        const what = `the engine of the broker on 127.0.0.1:${this.#port} survived its SIGKILL`;
        throw new BackplaneError('INCONCLUSIVE', what);
      }
      await sleep(clock, pollMs);
    }
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const answer = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}
