import { BackplaneError } from '../../foundation/errors.ts';
import { protocol } from '../../foundation/limits.ts';
import type { Bus, BusListener, Subscription, Unlisten } from '../../ports/bus.ts';
import { type Clock, repeat } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { Coverage } from './coverage.ts';
import type { SimBroker } from './sim-broker.ts';
import type { SimNetwork } from './sim-network.ts';
import type { SimProcess } from './sim-process.ts';

/** What the bus does to frames while it is at fault: shares of them. */
export interface BusFaults {
  lost: number;
  doubled: number;
  delayed: number;
  delayMsMax: number;
}

export interface SimBusParts {
  readonly process: SimProcess;
  readonly network: SimNetwork;
  readonly broker: SimBroker;
  readonly random: Random;
  readonly coverage: Coverage;
  readonly faults: BusFaults;
  call<T>(step: () => T | Promise<T>): Promise<T>;
  /** Whether the way to the broker and back is there. */
  reaches(): boolean;
}

interface Listening {
  readonly listen: BusListener;
  open: boolean;
}

interface Ear {
  readonly listenings: Set<Listening>;
  hear: ((payload: Uint8Array) => void) | null;
}

const reconnectMsMin = 20;
const reconnectMsMost = 800;

/**
 * The subscriber connection of one process: what is published reaches it over the network, in order,
 * unless the bus is at fault. It can be cut off for slowness, wedged, and half-open, and restores
 * itself as a driver does. What it hands over it takes back after the call, as the port says.
 */
export class SimBus implements Bus {
  readonly #parts: SimBusParts;
  readonly #ears = new Map<string, Ear>();
  readonly #restored = new Set<() => void>();
  readonly #interrupted = new Set<() => void>();
  #isAttached = true;
  #isReconnecting = false;
  /** Grows with each connection: what was on its way to the last one is lost. */
  #connection = 1;
  /** Nothing arrives, though the broker still counts it. */
  isDeaf = false;

  constructor(parts: SimBusParts) {
    this.#parts = parts;
  }

  publish(channel: string, payload: Uint8Array): Promise<number> {
    const copy = new Uint8Array(payload);
    return this.#parts.call(() => this.publishAtBroker(channel, copy));
  }

  /** For a store that publishes by itself, too. */
  publishAtBroker(channel: string, payload: Uint8Array): number {
    const hearers = this.#parts.broker.memory.channels.get(channel);
    if (!hearers) return 0;
    for (const hear of hearers) hear(payload);
    return hearers.size;
  }

  receivers(channel: string): Promise<number> {
    const { broker, call } = this.#parts;
    return call(() => broker.memory.channels.get(channel)?.size ?? 0);
  }

  subscribe(channel: string, listen: BusListener): Promise<Subscription> {
    return this.#parts.call(() => {
      const listening: Listening = { listen, open: true };
      let ear = this.#ears.get(channel);
      if (!ear) {
        ear = { listenings: new Set(), hear: null };
        this.#ears.set(channel, ear);
        if (this.#isAttached) this.#attachEar(channel, ear);
      }
      ear.listenings.add(listening);
      const opened = ear;
      return { close: async () => this.#endListening(channel, opened, listening) };
    });
  }

  onInterrupted(listen: () => void): Unlisten {
    const registered = () => listen();
    this.#interrupted.add(registered);
    return () => void this.#interrupted.delete(registered);
  }

  /** Resolves when every subscription is there again. */
  reconnectSubscriber(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#parts.process.after(protocol.renewalTimeoutMs, () => {
        this.#restored.delete(done);
        const message = 'the broker took no new subscriber connection in time';
        reject(new BackplaneError('BACKPLANE_UNREACHABLE', message));
      });
      const done = () => {
        timer.cancel();
        resolve();
      };
      this.#restored.add(done);
      this.isDeaf = false;
      this.cutOff();
    });
  }

  /** The broker closes the connection; the driver makes another one. */
  cutOff(): void {
    this.detach();
    this.reconnect();
  }

  /** The broker has given the connection up; its end here may not know yet. */
  detach(): void {
    this.#isAttached = false;
    this.#connection += 1;
    for (const [channel, ear] of this.#ears) this.#detachEar(channel, ear);
  }

  /** Tries until the broker is there again, restores every subscription, and says so. */
  reconnect(): void {
    if (this.#isReconnecting) return;
    this.#isReconnecting = true;
    const { process, random } = this.#parts;
    const pauseMs = () => reconnectMsMin + random.fraction() ** 2 * reconnectMsMost;
    const attempts = repeat(process as Clock, pauseMs, () => {
      if (!this.#parts.reaches()) return;
      attempts.cancel();
      this.#isReconnecting = false;
      if (!this.#isAttached) {
        this.#isAttached = true;
        for (const [channel, ear] of this.#ears) this.#attachEar(channel, ear);
      }
      const restored = [...this.#restored];
      this.#restored.clear();
      for (const done of restored) done();
      for (const listen of [...this.#interrupted]) listen();
    });
  }

  #attachEar(channel: string, ear: Ear): void {
    const { process, broker } = this.#parts;
    if (process.isOver || !broker.isUp) return;
    const connection = this.#connection;
    ear.hear = (payload) => this.#send(payload, connection, ear);
    const hearers = broker.memory.channels.get(channel) ?? new Set();
    broker.memory.channels.set(channel, hearers.add(ear.hear));
  }

  #detachEar(channel: string, ear: Ear): void {
    const { channels } = this.#parts.broker.memory;
    const hearers = channels.get(channel);
    if (ear.hear) hearers?.delete(ear.hear);
    ear.hear = null;
    if (hearers?.size === 0) channels.delete(channel);
  }

  #send(payload: Uint8Array, connection: number, ear: Ear): void {
    const { network, process, random, faults, coverage } = this.#parts;
    const hearing = [...ear.listenings];
    const arrive = () => {
      process.deliver(() => {
        if (connection !== this.#connection || this.isDeaf) return;
        for (const { open, listen } of hearing) if (open) lend(payload, listen);
      });
    };
    const way = { from: 'broker', to: process.name, arrive };
    if (faults.lost > 0 && random.fraction() < faults.lost) {
      coverage.add('framesLost');
      return;
    }
    if (faults.delayed > 0 && random.fraction() < faults.delayed) {
      coverage.add('framesDelayed');
      const extraMs = random.fraction() ** 3 * faults.delayMsMax;
      network.send({ ...way, extraMs, overtakes: true });
    } else network.send(way);
    if (faults.doubled > 0 && random.fraction() < faults.doubled) {
      coverage.add('framesDoubled');
      const extraMs = random.fraction() ** 3 * faults.delayMsMax;
      network.send({ ...way, extraMs, overtakes: true });
    }
  }

  #endListening(channel: string, ear: Ear, listening: Listening): void {
    listening.open = false;
    ear.listenings.delete(listening);
    if (ear.listenings.size > 0 || this.#ears.get(channel) !== ear) return;
    this.#ears.delete(channel);
    this.#detachEar(channel, ear);
  }
}

function lend(payload: Uint8Array, listen: BusListener): void {
  const lent = new Uint8Array(payload);
  listen(lent);
  lent.fill(0xff);
}
