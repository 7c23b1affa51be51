import { asBackplaneError } from '../../foundation/errors.ts';
import type { Bus, Subscription } from '../../ports/bus.ts';
import type { Logger } from '../../ports/logger.ts';
import { inboxChannel } from '../channels.ts';
import type { Counters } from '../counters.ts';
import { decodeFrames, type Frame } from '../frames.ts';

export interface InboxesParts {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly clusterTag: number;
  receive(frame: Frame): void;
}

/**
 * The inbox of each life of this node: opened before its session can be seen, closed when the next
 * one has taken over.
 */
export class Inboxes {
  readonly #parts: InboxesParts;
  readonly #open = new Map<string, Subscription>();

  constructor(parts: InboxesParts) {
    this.#parts = parts;
  }

  async listen(id: string): Promise<void> {
    const { bus, clusterTag, counters, receive } = this.#parts;
    const subscription = await bus.subscribe(inboxChannel(id), (published) => {
      const frames = decodeFrames(clusterTag, published, (fault) => {
        counters.add(`frames_${fault}_total`);
      });
      for (const frame of frames) receive(frame);
    });
    this.#open.set(id, subscription);
  }

  /** Closes all but one; all, when that is null. */
  async keepOnly(current: string | null): Promise<void> {
    for (const [id, subscription] of [...this.#open]) {
      if (id === current) continue;
      this.#open.delete(id);
      await subscription.close().catch((error) => {
        const { code, message } = asBackplaneError(error);
        this.#parts.logger.event('debug', 'inbox.close-failed', { code, message });
      });
    }
  }
}
