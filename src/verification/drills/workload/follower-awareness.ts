import type { BackplaneClient, DocumentHandle } from '../../../client/index.ts';
import type { LoadSite } from './load-site.ts';

interface LoadState {
  readonly clock: number;
}

/**
 * The awareness of one follower: what it set, and what it may have lost. A state goes with its
 * connection, and the client sets it again on the next one, so between the two nobody knows.
 */
export class FollowerAwareness {
  readonly #handle: DocumentHandle;
  readonly #client: BackplaneClient;
  readonly #viewer: string;
  readonly #site: LoadSite;
  /** The id under which the state went out. */
  #peer: string;
  #state: LoadState | null = null;

  constructor(handle: DocumentHandle, client: BackplaneClient, viewer: string, site: LoadSite) {
    this.#handle = handle;
    this.#client = client;
    this.#viewer = viewer;
    this.#site = site;
    this.#peer = handle.peer;
  }

  /** A new state, told from every one before by its clock. */
  set(): void {
    this.followPeer();
    const state = { clock: (this.#state?.clock ?? 0) + 1 };
    this.#state = state;
    this.#site.counts.awareness += 1;
    this.#handle.setAwareness(state);
    this.#record(this.#peer, state);
  }

  /** A refused op gives the handle another id, and the state goes along. */
  followPeer(): void {
    const { peer } = this.#handle;
    if (peer === this.#peer) return;
    if (this.#state !== null) {
      this.#record(this.#peer, null);
      this.#record(peer, this.#state);
    }
    this.#peer = peer;
  }

  /** There is a connection again, and the client sets the state on it. */
  restore(): void {
    this.followPeer();
    if (this.#state !== null) this.#record(this.#peer, this.#state);
  }

  /** From now on the others may see nothing of it. */
  lose(): void {
    if (this.#state !== null) this.#record(this.#peer, null, 'indefinite');
  }

  recordView(): void {
    const states: Record<string, { clock: number; state: unknown }> = {};
    const see = (peer: string, state: unknown) => {
      const { clock = 0 } = (state ?? {}) as Partial<LoadState>;
      states[peer] = { clock, state };
    };
    for (const [peer, state] of this.#handle.awareness) see(peer, state);
    if (this.#state !== null) see(this.#peer, this.#state);
    const { doc } = this.#handle;
    this.#site.recorder.record({ ev: 'awareness.view', doc, viewer: this.#viewer, states });
  }

  #record(peer: string, state: LoadState | null, certainty = this.#certainty()): void {
    const { doc } = this.#handle;
    const clock = this.#state?.clock ?? 0;
    this.#site.recorder.record({ ev: 'awareness.set', doc, peer, clock, state, certainty });
  }

  /** What is set without a connection goes out later, if at all. */
  #certainty(): 'definite' | 'indefinite' {
    return this.#client.state === 'connected' ? 'definite' : 'indefinite';
  }
}
