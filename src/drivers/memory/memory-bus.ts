import { BackplaneError } from '../../foundation/errors.ts';
import type { Bus, BusListener, Subscription, Unlisten } from '../../ports/bus.ts';
import type { MemoryBroker, Receiver } from './memory-broker.ts';

/**
 * Publish and subscribe within a process: delivered in a microtask, in the order of publishing,
 * to each engine once, however many of its listeners hear it.
 */
export class MemoryBus implements Bus, Receiver {
  readonly #broker: MemoryBroker;
  readonly #listeners = new Map<string, Set<{ readonly listen: BusListener }>>();
  readonly #interrupted = new Set<() => void>();
  /** Grows with every interruption: what was under way then is lost. */
  #connection = 0;
  #closed = false;

  constructor(broker: MemoryBroker) {
    this.#broker = broker;
  }

  async publish(channel: string, payload: Uint8Array): Promise<number> {
    this.#check();
    const receivers = [...(this.#broker.channels.get(channel) ?? [])];
    // The publisher may use its bytes again as soon as this returns.
    const copy = Uint8Array.prototype.slice.call(payload);
    for (const receiver of receivers) receiver.deliver(channel, copy);
    return receivers.length;
  }

  deliver(channel: string, payload: Uint8Array): void {
    const connection = this.#connection;
    queueMicrotask(() => {
      if (connection !== this.#connection || this.#closed) return;
      for (const { listen } of [...(this.#listeners.get(channel) ?? [])]) listen(payload);
    });
  }

  async subscribe(channel: string, listen: BusListener): Promise<Subscription> {
    this.#check();
    const listener = { listen };
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(listener));
    const receivers = this.#broker.channels.get(channel) ?? new Set();
    this.#broker.channels.set(channel, receivers.add(this));
    return {
      close: async () => {
        listeners.delete(listener);
        if (listeners.size === 0) this.#leave(channel);
      },
    };
  }

  async receivers(channel: string): Promise<number> {
    this.#check();
    return this.#broker.channels.get(channel)?.size ?? 0;
  }

  onInterrupted(listen: () => void): Unlisten {
    this.#interrupted.add(listen);
    return () => this.#interrupted.delete(listen);
  }

  async reconnectSubscriber(): Promise<void> {
    this.#check();
    this.interrupt();
  }

  /** Loses what is on its way and is back at once, as after a connection that was cut. */
  interrupt(): void {
    this.#connection += 1;
    for (const listen of this.#interrupted) listen();
  }

  close(): void {
    this.#closed = true;
    for (const channel of [...this.#listeners.keys()]) this.#leave(channel);
  }

  #leave(channel: string): void {
    this.#listeners.delete(channel);
    const receivers = this.#broker.channels.get(channel);
    receivers?.delete(this);
    if (receivers?.size === 0) this.#broker.channels.delete(channel);
  }

  #check(): void {
    if (this.#closed) throw new BackplaneError('CLOSED', 'the engine was closed');
  }
}
