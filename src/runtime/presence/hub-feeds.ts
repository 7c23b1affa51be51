import { asBackplaneError, BackplaneError } from '../../foundation/errors.ts';
import { presenceLimits, presenceTimes } from '../../foundation/limits.ts';
import type { Bus, Subscription } from '../../ports/bus.ts';
import type { Logger } from '../../ports/logger.ts';
import { presenceChannel } from '../channels.ts';
import { decodeFrames } from '../frames.ts';
import { HubFeed, type HubFeedParts } from './hub-feed.ts';

export interface HubFeedsParts extends Omit<HubFeedParts, 'hub'> {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly clusterTag: number;
}

interface Followed {
  readonly feed: HubFeed;
  /** Subscribed to, and read once. */
  readonly ready: Promise<Subscription>;
  neededMs: number;
}

/** The hubs this node follows: those it needs, and those it was asked about not long ago. */
export class HubFeeds {
  readonly #parts: HubFeedsParts;
  readonly #followed = new Map<string, Followed>();
  #listed: { readonly atMs: number; readonly hubs: readonly string[] } | null = null;

  constructor(parts: HubFeedsParts) {
    this.#parts = parts;
  }

  hubs(): string[] {
    return [...this.#followed.keys()];
  }

  /** What is known of a hub already; null when it is not followed. */
  peek(hub: string): HubFeed | null {
    return this.#followed.get(hub)?.feed ?? null;
  }

  /** Follows the hub from now on, and waits until it was read once. */
  async follow(hub: string): Promise<HubFeed> {
    const nowMs = this.#parts.clock.monotonicMs();
    let followed = this.#followed.get(hub);
    if (!followed) {
      const feed = new HubFeed({ ...this.#parts, hub });
      followed = { feed, ready: this.#open(hub, feed), neededMs: nowMs };
      this.#followed.set(hub, followed);
    }
    followed.neededMs = nowMs;
    try {
      await followed.ready;
    } catch (error) {
      if (this.#followed.get(hub) === followed) this.#followed.delete(hub);
      throw error;
    }
    return followed.feed;
  }

  /** Every hub with connections, as of at most so long ago. */
  async list(ageMsMax: number): Promise<readonly string[]> {
    const { clock, registry } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (this.#listed && nowMs - this.#listed.atMs < ageMsMax) return this.#listed.hubs;
    const hubs = new Set<string>();
    let from: string | null = null;
    do {
      const page = await registry.hubs(from);
      for (const hub of page.hubs) hubs.add(hub);
      from = page.next;
      if (hubs.size > presenceLimits.hubsMax) {
        const message = `there are more than ${presenceLimits.hubsMax} hubs; name the one meant`;
        throw new BackplaneError('OVERLOADED', message);
      }
    } while (from !== null);
    this.#listed = { atMs: nowMs, hubs: [...hubs] };
    return this.#listed.hubs;
  }

  /** Compares every hub with the broker, and forgets those nobody needs any more. */
  async compareAll(
    isNeeded: (hub: string) => boolean,
    compared: (hub: string, versions: ReadonlyMap<string, number>) => void,
  ): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const [hub, followed] of [...this.#followed]) {
      if (isNeeded(hub)) followed.neededMs = nowMs;
      if (nowMs - followed.neededMs > presenceTimes.keepHubMs) this.#forget(hub, followed);
      else await followed.feed.compare().then((versions) => compared(hub, versions));
    }
  }

  drop(session: string): void {
    for (const { feed } of this.#followed.values()) feed.drop(session);
  }

  stop(): void {
    for (const [hub, followed] of [...this.#followed]) this.#forget(hub, followed);
  }

  async #open(hub: string, feed: HubFeed): Promise<Subscription> {
    const { bus, clusterTag, counters } = this.#parts;
    const subscription = await bus.subscribe(presenceChannel(hub), (published) => {
      const frames = decodeFrames(clusterTag, published, (fault) => {
        counters.add(`frames_${fault}_total`);
      });
      for (const frame of frames) {
        if (frame.kind === 'presence' && frame.hub === hub) feed.hear(frame);
      }
    });
    try {
      await feed.compare();
    } catch (error) {
      await subscription.close().catch(() => {});
      throw error;
    }
    return subscription;
  }

  #forget(hub: string, followed: Followed): void {
    this.#followed.delete(hub);
    followed.ready
      .then((subscription) => subscription.close())
      .catch((error) => {
        const { code, message } = asBackplaneError(error);
        this.#parts.logger.event('debug', 'presence.unfollow-failed', { hub, code, message });
      });
  }
}
