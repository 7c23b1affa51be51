import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BackplaneError } from '../../../foundation/errors.ts';
import { sleep } from '../../../ports/clock.ts';
import type { FailOver } from '../drill-cluster.ts';
import { freePort } from '../free-port.ts';
import { LocalServer } from './local-server.ts';
import type { BrokerTools, OwnedBroker, ServerBinary } from './owned-broker.ts';
import { serverTitle } from './server-title.ts';

const copyTimeoutMs = 20_000;
const catchUpTimeoutMs = 5_000;
const pollMs = 20;
/** Nobody listens on a port this low, so a replica sent there keeps what it has, and hears no more. */
const nowherePort = 1;

/**
 * A primary and its replica. Kill, start and pause are done to whichever is the primary.
 *
 * After a failover the other place is empty; the next one starts a new replica there first, as an
 * operator would who repairs the pair.
 */
export class PairBroker implements OwnedBroker {
  readonly kind = 'pair';
  readonly volatile = false;
  readonly server: string;
  readonly failOver: FailOver = {
    losePrimary: (lagMs) => this.#losePrimary(lagMs),
    promote: () => this.#promote(),
  };
  readonly #tools: BrokerTools;
  readonly #folder: string;
  #primary: LocalServer;
  #replica: LocalServer;

  static async start(binary: ServerBinary, tools: BrokerTools): Promise<PairBroker> {
    const folder = join(tools.folder, 'broker');
    const at = async (name: string) =>
      new LocalServer(
        { binary, folder: join(folder, name), port: await freePort(tools.random) },
        tools,
      );
    const primary = await at('one');
    await primary.start({ keepData: false });
    try {
      // Now, when the primary has its port, it cannot be given the same.
      const replica = await at('two');
      const title = serverTitle(await primary.info('server'));
      const pair = new PairBroker({ primary, replica }, tools, folder, title);
      await pair.#ensureReplica().catch(async (error) => {
        await replica.kill();
        throw error;
      });
      return pair;
    } catch (error) {
      await primary.kill();
      throw error;
    }
  }

  private constructor(
    pair: { readonly primary: LocalServer; readonly replica: LocalServer },
    tools: BrokerTools,
    folder: string,
    server: string,
  ) {
    this.#primary = pair.primary;
    this.#replica = pair.replica;
    this.#tools = tools;
    this.#folder = folder;
    this.server = server;
  }

  port(): number {
    return this.#primary.port;
  }

  kill(): Promise<void> {
    return this.#primary.kill();
  }

  /** A primary that comes back with nothing empties its replica, too: that is how replication is. */
  start(options: { readonly keepData: boolean }): Promise<void> {
    return this.#primary.start(options);
  }

  pause(): void {
    this.#primary.signal('SIGSTOP');
  }

  resume(): void {
    this.#primary.signal('SIGCONT');
  }

  command(...words: string[]): Promise<unknown> {
    return this.#primary.ask(...words);
  }

  async close(): Promise<void> {
    await Promise.all([this.#primary.kill(), this.#replica.kill()]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #losePrimary(lagMs: number): Promise<number> {
    await this.#ensureReplica();
    if (lagMs > 0) {
      await this.#replica.ask('REPLICAOF', '127.0.0.1', String(nowherePort));
      await sleep(this.#tools.clock, lagMs);
    } else {
      await this.#catchUp();
    }
    const [all, has] = [await position(this.#primary), await position(this.#replica)];
    await this.#primary.kill();
    return Math.max(0, all - has);
  }

  async #promote(): Promise<void> {
    await this.#replica.ask('REPLICAOF', 'NO', 'ONE');
    [this.#primary, this.#replica] = [this.#replica, this.#primary];
  }

  /** Until it has everything, also in its file: one that is still being written is no replica. */
  async #ensureReplica(): Promise<void> {
    const replicaOf = this.#primary.port;
    if (!this.#replica.isRunning) await this.#replica.start({ keepData: false, replicaOf });
    await this.#until(copyTimeoutMs, 'did not get its copy of the primary', async () => {
      const link = await this.#replica.info('replication');
      const file = await this.#replica.info('persistence');
      return (
        link.get('master_link_status') === 'up' &&
        file.get('aof_enabled') === '1' &&
        file.get('aof_rewrite_in_progress') === '0' &&
        file.get('aof_rewrite_scheduled') === '0'
      );
    });
  }

  /** Writes wait at the primary from now on, and die with it unanswered; nothing answered is lost. */
  async #catchUp(): Promise<void> {
    await this.#primary.ask('CLIENT', 'PAUSE', String(2 * catchUpTimeoutMs), 'WRITE');
    const all = await position(this.#primary);
    try {
      await this.#until(
        catchUpTimeoutMs,
        'did not catch up with the primary',
        async () => (await position(this.#replica)) >= all,
      );
    } catch (error) {
      await this.#primary.ask('CLIENT', 'UNPAUSE').catch(() => {});
      throw error;
    }
  }

  async #until(timeoutMs: number, what: string, holds: () => Promise<boolean>): Promise<void> {
    const { clock } = this.#tools;
    const startedMs = clock.monotonicMs();
    while (!(await holds())) {
      if (clock.monotonicMs() - startedMs > timeoutMs) {
        throw new BackplaneError('INCONCLUSIVE', `the replica of the broker ${what}`);
      }
      await sleep(clock, pollMs);
    }
  }
}

/** How far in the primary's stream of writes a server is, in bytes. */
async function position(server: LocalServer): Promise<number> {
  return Number((await server.info('replication')).get('master_repl_offset'));
}
