import { type BackplaneClient, connect, type DocumentHandle } from '../../src/client/index.ts';

/** What a peer was told about one op of its own. */
export interface Acked {
  readonly opId: string;
  readonly seq: number;
  readonly epoch: number;
  readonly atMs: number;
}

export interface Delivered {
  readonly seq: number;
  readonly epoch: number;
  readonly opId: string;
}

/**
 * A peer that sends one op after the other to one document and follows it, through whatever the
 * nodes are going through, and writes down what it was told.
 */
export class PeerLoad {
  readonly acked: Acked[] = [];
  readonly delivered: Delivered[] = [];
  readonly failed: unknown[] = [];
  readonly #client: BackplaneClient;
  readonly #handle: DocumentHandle;
  readonly #name: string;
  #running = true;
  #sent = 0;
  #done: Promise<void> | null = null;

  private constructor(name: string, client: BackplaneClient, handle: DocumentHandle) {
    this.#name = name;
    this.#client = client;
    this.#handle = handle;
  }

  static async join(name: string, urls: readonly string[], doc: string): Promise<PeerLoad> {
    const client = connect({ urls: [...urls] });
    const handle = client.open(doc, { since: 0 });
    const load = new PeerLoad(name, client, handle);
    handle.on('op', ({ seq, epoch, opId }) => load.delivered.push({ seq, epoch, opId }));
    return load;
  }

  /** A client that only calls methods of a document's owner. */
  static async asker(url: string, doc: string) {
    const client = connect({ urls: url });
    const handle = client.open(doc, { since: null });
    await client.connected();
    return { handle, close: () => client.close() };
  }

  start(pauseMs: number): void {
    this.#running = true;
    this.#done = this.#run(pauseMs);
  }

  /** Ends sending; what is under way is waited for. */
  async finish(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #run(pauseMs: number): Promise<void> {
    while (this.#running) {
      try {
        this.#sent += 1;
        const ack = await this.#handle.send({ [this.#name]: this.#sent });
        this.acked.push({ ...ack, atMs: performance.now() });
      } catch (error) {
        this.failed.push(error);
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
