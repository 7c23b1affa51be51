import type { Bus, BusListener, Subscription, Unlisten } from '../../ports/bus.ts';
import type { MemoryAttachment, MemoryBroker } from './memory-broker.ts';
import type { MemoryConnection } from './memory-connection.ts';

interface Listening {
  readonly listen: BusListener;
  open: boolean;
}

/** One engine's ear on one channel, however many of its listeners share it. */
interface Ear {
  readonly hear: (payload: Uint8Array) => void;
  readonly listenings: Set<Listening>;
}

/**
 * Publish and subscribe inside the process. A payload is copied and handed over in a microtask, so
 * nobody hears within the call that publishes, and the order is that of publishing.
 */
export class MemoryBus implements Bus, MemoryAttachment {
  readonly #broker: MemoryBroker;
  readonly #connection: MemoryConnection;
  readonly #ears = new Map<string, Ear>();
  readonly #interruptedListeners = new Set<() => void>();
  /** Grows with each cut, so that what was on its way is not delivered after it. */
  #connections = 1;

  constructor(broker: MemoryBroker, connection: MemoryConnection) {
    this.#broker = broker;
    this.#connection = connection;
    broker.attach(this);
  }

  publish(channel: string, payload: Uint8Array): Promise<number> {
    // Copied at once: the caller may change it as soon as the call has returned.
    const copy = new Uint8Array(payload);
    return this.#connection.call((broker) => {
      const hearers = broker.channels.get(channel);
      for (const hear of hearers ?? []) hear(copy);
      return hearers?.size ?? 0;
    });
  }

  subscribe(channel: string, listen: BusListener): Promise<Subscription> {
    return this.#connection.call((broker) => {
      const listening: Listening = { listen, open: true };
      const ear = this.#ears.get(channel) ?? this.#open(broker, channel);
      ear.listenings.add(listening);
      return { close: async () => this.#end(channel, ear, listening) };
    });
  }

  receivers(channel: string): Promise<number> {
    return this.#connection.call((broker) => broker.channels.get(channel)?.size ?? 0);
  }

  onInterrupted(listen: () => void): Unlisten {
    // Each registration counts for itself, also of one function twice.
    const registered = () => listen();
    this.#interruptedListeners.add(registered);
    return () => void this.#interruptedListeners.delete(registered);
  }

  async reconnectSubscriber(): Promise<void> {
    await this.#connection.call(() => this.interrupted());
  }

  interrupted(): void {
    this.#connections += 1;
    queueMicrotask(() => {
      for (const listen of [...this.#interruptedListeners]) listen();
    });
  }

  close(): void {
    this.#broker.detach(this);
    for (const [channel, ear] of this.#ears) {
      for (const listening of ear.listenings) listening.open = false;
      this.#forget(channel, ear);
    }
    this.#interruptedListeners.clear();
  }

  #open(broker: MemoryBroker, channel: string): Ear {
    const listenings = new Set<Listening>();
    const hear = (payload: Uint8Array) => {
      const connection = this.#connections;
      const hearing = [...listenings];
      queueMicrotask(() => {
        if (connection !== this.#connections) return;
        for (const { open, listen } of hearing) {
          if (open) listen(new Uint8Array(payload));
        }
      });
    };
    const ear = { hear, listenings };
    this.#ears.set(channel, ear);
    const hearers = broker.channels.get(channel) ?? new Set();
    broker.channels.set(channel, hearers.add(hear));
    return ear;
  }

  #end(channel: string, ear: Ear, listening: Listening): void {
    listening.open = false;
    ear.listenings.delete(listening);
    if (ear.listenings.size === 0) this.#forget(channel, ear);
  }

  #forget(channel: string, ear: Ear): void {
    if (this.#ears.get(channel) !== ear) return;
    this.#ears.delete(channel);
    const hearers = this.#broker.channels.get(channel);
    hearers?.delete(ear.hear);
    if (hearers?.size === 0) this.#broker.channels.delete(channel);
  }
}
