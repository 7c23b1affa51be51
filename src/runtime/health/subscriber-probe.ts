import type { Bus } from '../../ports/bus.ts';
import { type Clock, repeat, type Timer } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import { inboxChannel } from '../channels.ts';
import type { Counters } from '../counters.ts';
import { noPayload } from '../frames.ts';
import type { Outbox } from '../outbox.ts';
import type { Strain } from './strain.ts';

export interface SubscriberProbeParts {
  readonly bus: Bus;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly everyMs: number;
  readonly strain?: Strain;
  inbox(): string | null;
}

const missesMax = 2;

/**
 * Sends itself a frame through its own subscriber connection. A node whose publishing works while
 * that connection is wedged looks healthy to everybody and hears nothing; this one says so, and
 * reconnects by itself.
 */
export class SubscriberProbe {
  readonly #parts: SubscriberProbeParts;
  #timer: Timer | null = null;
  #nonce = 0;
  #heard = 0;
  #misses = 0;
  #lastHeardMs: number | null = null;
  #dueMs: number | null = null;

  constructor(parts: SubscriberProbeParts) {
    this.#parts = parts;
  }

  get isDeaf(): boolean {
    return this.#misses >= missesMax;
  }

  /** How long ago the last probe came back, in ms; null before the first. */
  heardAgoMs(): number | null {
    return this.#lastHeardMs === null ? null : this.#parts.clock.monotonicMs() - this.#lastHeardMs;
  }

  start(): void {
    const { clock, everyMs, strain } = this.#parts;
    this.#timer = repeat(
      clock,
      () => {
        this.#dueMs = clock.monotonicMs() + everyMs;
        return everyMs;
      },
      () => {
        if (this.#dueMs !== null) strain?.timerFired(this.#dueMs);
        return this.#probe();
      },
    );
  }

  stop(): void {
    this.#timer?.cancel();
  }

  heard(nonce: number): void {
    if (nonce <= this.#heard || nonce > this.#nonce) return;
    this.#heard = nonce;
    this.#misses = 0;
    this.#lastHeardMs = this.#parts.clock.monotonicMs();
  }

  async #probe(): Promise<void> {
    const inbox = this.#parts.inbox();
    if (inbox === null) return;
    if (this.#nonce > this.#heard) await this.#missed();
    this.#nonce += 1;
    const frame = { kind: 'probe', nonce: this.#nonce, payload: noPayload } as const;
    try {
      await this.#parts.outbox.send(inboxChannel(inbox), frame);
    } catch {
      // The broker is away, which is another illness than deafness.
      this.#heard = this.#nonce;
    }
  }

  async #missed(): Promise<void> {
    this.#misses += 1;
    if (this.#misses < missesMax) return;
    const { bus, counters, logger } = this.#parts;
    counters.add('subscriber_deaf_total');
    logger.event('error', 'subscriber.deaf', { probesMissed: this.#misses });
    await bus.reconnectSubscriber().catch(() => {});
  }
}
