import { type BackplaneClient, connect } from '../../../client/index.ts';
import { LoadFollower } from './load-follower.ts';
import type { LoadSite } from './load-site.ts';

export interface LineOptions {
  /** The peer that it is a connection of. */
  readonly peer: string;
  readonly urls: readonly string[];
  readonly token: string | null;
  readonly docs: readonly string[];
  readonly site: LoadSite;
}

/** Long pauses between attempts would be measured as slow recoveries. */
const reconnectMsMax = 1_000;

/** A connection of a peer, and what it follows by it: no more than a node allows on one. */
export class LoadLine {
  readonly followers: readonly LoadFollower[];
  readonly #client: BackplaneClient;
  #isUp = false;

  constructor({ peer, urls, token, docs, site }: LineOptions) {
    const client = connect({ urls, token, clock: site.clock, reconnectMsMax });
    this.#client = client;
    this.followers = docs.map((doc) => new LoadFollower({ doc, peer, client, site }));
    client.on('state', (state) => this.#follow(state === 'connected'));
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Rejects when it never will be. */
  connected(): Promise<void> {
    return this.#client.connected();
  }

  async close(): Promise<void> {
    for (const follower of this.followers) follower.close();
    await this.#client.close();
  }

  #follow(isUp: boolean): void {
    if (isUp === this.#isUp) return;
    this.#isUp = isUp;
    for (const follower of this.followers) {
      if (isUp) follower.lineUp();
      else follower.lineDown();
    }
  }
}
