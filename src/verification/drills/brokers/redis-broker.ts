import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { LocalServer } from './local-server.ts';
import type { BrokerTools, OwnedBroker, ServerBinary } from './owned-broker.ts';
import { serverTitle } from './server-title.ts';

/** An installed server of the drill's own, which keeps what it acknowledged over a SIGKILL. */
export class RedisBroker implements OwnedBroker {
  readonly kind = 'redis';
  readonly volatile = false;
  readonly failOver = null;
  readonly server: string;
  readonly #local: LocalServer;
  readonly #folder: string;

  static async start(binary: ServerBinary, tools: BrokerTools): Promise<RedisBroker> {
    const folder = join(tools.folder, 'broker');
    const local = new LocalServer({ binary, folder, port: await freePort(tools.random) }, tools);
    await local.start({ keepData: false });
    try {
      return new RedisBroker(local, folder, serverTitle(await local.info('server')));
    } catch (error) {
      await local.kill();
      throw error;
    }
  }

  private constructor(local: LocalServer, folder: string, server: string) {
    this.#local = local;
    this.#folder = folder;
    this.server = server;
  }

  port(): number {
    return this.#local.port;
  }

  kill(): Promise<void> {
    return this.#local.kill();
  }

  start(options: { readonly keepData: boolean }): Promise<void> {
    return this.#local.start(options);
  }

  pause(): void {
    this.#local.signal('SIGSTOP');
  }

  resume(): void {
    this.#local.signal('SIGCONT');
  }

  command(...words: string[]): Promise<unknown> {
    return this.#local.ask(...words);
  }

  async close(): Promise<void> {
    await this.#local.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
