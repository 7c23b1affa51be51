import type { Bus, BusListener, Subscription, Unlisten } from '../../src/ports/bus.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { decodeFrames, encodeFrame, type Frame } from '../../src/runtime/frames.ts';

/** What becomes of one frame on its way to one node. */
export type Delivery = 'deliver' | 'drop' | 'twice' | { readonly delayMs: number };

type Filter = (frame: Frame, channel: string) => Delivery | undefined;

/**
 * A bus between a node and the broker that loses, repeats and delays chosen frames, goes deaf, and
 * holds everything while the process stands still. What it hands over it takes back after the
 * call, as the port says: whoever keeps the bytes without copying them keeps rubbish.
 */
export class FaultyBus implements Bus {
  readonly #inner: Bus;
  readonly #clock: Clock;
  readonly #clusterTag: () => number;
  readonly #filters = new Set<Filter>();
  readonly #interrupted = new Set<() => void>();
  #held: (() => void)[] | null = null;
  /** Nothing arrives, though the broker still counts this node as a receiver. */
  deaf = false;
  /** How often the node asked for a new subscriber connection, and whether that helps. */
  reconnects = 0;
  reconnectingHelps = true;

  constructor(inner: Bus, clock: Clock, clusterTag: () => number) {
    this.#inner = inner;
    this.#clock = clock;
    this.#clusterTag = clusterTag;
    inner.onInterrupted(() => {
      for (const listen of [...this.#interrupted]) this.#whenRunning(listen);
    });
  }

  /** Decides about every frame that arrives here; the first filter with an opinion wins. */
  filter(filter: Filter): () => void {
    this.#filters.add(filter);
    return () => void this.#filters.delete(filter);
  }

  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const deliver of held) deliver();
  }

  publish(channel: string, payload: Uint8Array): Promise<number> {
    return this.#inner.publish(channel, payload);
  }

  receivers(channel: string): Promise<number> {
    return this.#inner.receivers(channel);
  }

  onInterrupted(listen: () => void): Unlisten {
    this.#interrupted.add(listen);
    return () => void this.#interrupted.delete(listen);
  }

  async reconnectSubscriber(): Promise<void> {
    this.reconnects += 1;
    if (this.reconnectingHelps) this.deaf = false;
    await this.#inner.reconnectSubscriber();
  }

  subscribe(channel: string, listen: BusListener): Promise<Subscription> {
    return this.#inner.subscribe(channel, (payload) => {
      if (this.deaf) return;
      const kept = new Uint8Array(payload);
      this.#whenRunning(() => this.#pass(channel, kept, listen));
    });
  }

  #whenRunning(run: () => void): void {
    if (this.#held) this.#held.push(run);
    else run();
  }

  #pass(channel: string, payload: Uint8Array, listen: BusListener): void {
    if (this.#filters.size === 0) return lend(payload, listen);
    let faults = 0;
    const frames = [...decodeFrames(this.#clusterTag(), payload, () => faults++)];
    // What cannot be read is none of the filters' business.
    if (faults > 0) return lend(payload, listen);
    for (const frame of frames) {
      const delivery = this.#decide(frame, channel);
      const deliver = () => lend(encodeFrame(this.#clusterTag(), frame), listen);
      if (delivery === 'drop') continue;
      if (typeof delivery === 'object') {
        this.#clock.after(delivery.delayMs, () => this.#whenRunning(deliver));
        continue;
      }
      deliver();
      if (delivery === 'twice') deliver();
    }
  }

  #decide(frame: Frame, channel: string): Delivery {
    for (const filter of this.#filters) {
      const delivery = filter(frame, channel);
      if (delivery) return delivery;
    }
    return 'deliver';
  }
}

function lend(payload: Uint8Array, listen: BusListener): void {
  const lent = new Uint8Array(payload);
  listen(lent);
  lent.fill(0xff);
}
