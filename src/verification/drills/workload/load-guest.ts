import { type BackplaneClient, connect, type DocumentHandle } from '../../../client/index.ts';
import type { Timer } from '../../../ports/clock.ts';
import type { Random } from '../../../ports/random.ts';
import type { LoadSite } from './load-site.ts';

export interface GuestParts {
  readonly url: string;
  readonly token: string | null;
  readonly docs: readonly string[];
  readonly site: LoadSite;
  readonly random: Random;
}

const stayMsMin = 150;
const stayMsMax = 600;
const pauseMs = 50;
/** A node that does not run lets nobody in. */
const patienceMs = 1_000;

/**
 * Somebody who looks into a document, at one node, and is gone: every time another peer, which
 * never comes back to put right what was left of it. Peers of the load always do.
 */
export class LoadGuest {
  readonly #parts: GuestParts;
  #client: BackplaneClient | null = null;
  #handle: DocumentHandle | null = null;
  /** The name under which others see it. */
  #seenAs: string | null = null;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(parts: GuestParts) {
    this.#parts = parts;
    this.#come();
  }

  /** Twice is once. */
  close(): void {
    this.#isClosed = true;
    this.#go();
  }

  #come(): void {
    const { url, token, docs, random, site } = this.#parts;
    const { clock } = site;
    const client = connect({ urls: [url], token, clock });
    const doc = docs[Math.floor(random.fraction() * docs.length)] as string;
    const handle = client.open(doc);
    this.#client = client;
    this.#handle = handle;
    const stayMs = stayMsMin + random.fraction() * (stayMsMax - stayMsMin);
    this.#timer = clock.after(patienceMs, () => this.#go());
    handle.on('joined', () => {
      if (this.#handle !== handle || this.#seenAs !== null) return;
      this.#show(handle);
      this.#timer?.cancel();
      this.#timer = clock.after(stayMs, () => this.#go());
    });
    handle.on('lost', () => this.#go());
    client.on('state', (state) => {
      if (this.#client === client && this.#seenAs !== null && state !== 'connected') this.#go();
    });
  }

  #show(handle: DocumentHandle): void {
    const state = { clock: 1 };
    this.#seenAs = handle.peer;
    this.#parts.site.counts.awareness += 1;
    handle.setAwareness(state);
    this.#record(handle, state);
  }

  #go(): void {
    const [client, handle] = [this.#client, this.#handle];
    this.#timer?.cancel();
    this.#client = null;
    this.#handle = null;
    if (handle !== null && this.#seenAs !== null) this.#record(handle, null);
    this.#seenAs = null;
    void client?.close();
    const { clock } = this.#parts.site;
    if (!this.#isClosed) this.#timer = clock.after(pauseMs, () => this.#come());
  }

  #record({ doc }: DocumentHandle, state: { readonly clock: number } | null): void {
    const peer = this.#seenAs as string;
    const { clock } = state ?? { clock: 2 };
    this.#parts.site.recorder.record({ ev: 'awareness.set', doc, peer, clock, state });
  }
}
