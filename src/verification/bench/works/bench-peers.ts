import { type BackplaneClient, connect } from '../../../client/index.ts';
import { BackplaneError } from '../../../foundation/errors.ts';
import type { BenchGround } from '../bench-work.ts';

/** The peers of a benchmark: as many clients for each node as are asked for. */
export class BenchPeers {
  readonly #clients: readonly BackplaneClient[];

  private constructor(clients: readonly BackplaneClient[]) {
    this.#clients = clients;
  }

  static open({ urls, token, clock, random }: BenchGround, each = 1): BenchPeers {
    if (urls.length === 0) {
      throw new BackplaneError('NO_NODES', 'no node of this cluster takes peers');
    }
    const clients = urls.flatMap((url) =>
      Array.from({ length: each }, () => connect({ urls: [url], token, clock, random })),
    );
    return new BenchPeers(clients);
  }

  get count(): number {
    return this.#clients.length;
  }

  /** In turn, so that neighbours are clients of different nodes when each has one. */
  at(index: number): BackplaneClient {
    return this.#clients[index % this.#clients.length] as BackplaneClient;
  }

  /** Gives every document an owner, by its first op through the node whose turn it is. */
  async claim(docs: readonly string[], signal: AbortSignal): Promise<void> {
    const waiting = docs.entries();
    const claimSome = async () => {
      for (const [index, doc] of waiting) {
        if (signal.aborted) return;
        const handle = this.at(index).open(doc);
        const close = () => handle.close();
        signal.addEventListener('abort', close, { once: true });
        try {
          await handle.send({ bench: true });
        } finally {
          signal.removeEventListener('abort', close);
          close();
        }
      }
    };
    await Promise.all(Array.from({ length: 128 }, claimSome));
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }
}
