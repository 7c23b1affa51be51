import { asBackplaneError } from '../../foundation/errors.ts';
import { protocol } from '../../foundation/limits.ts';
import type { Bus, Subscription } from '../../ports/bus.ts';
import { type Clock, repeat, type Timer } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import type { Registry } from '../../ports/registry.ts';
import { inboxChannel, relayChannel } from '../channels.ts';
import type { SessionWatch } from '../sessions/session-watch.ts';
import { type DaemonHolder, nameOfDaemon, readHolder } from './daemon-holder.ts';

export interface GuideParts {
  readonly workspace: string;
  readonly registry: Registry;
  readonly bus: Bus;
  readonly watch: SessionWatch;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  ownSession(): string | null;
  /** Told once at first, and then whenever it is another. Null: there is none. */
  found(holder: DaemonHolder | null): void;
}

/**
 * Knows where the daemon of one workspace is, while somebody here wants to know. News on the
 * workspace's channel may be lost, and a killed node sends none: so it also looks now and then.
 */
export class DaemonGuide {
  readonly #parts: GuideParts;
  readonly #checks: Timer;
  #subscription: Subscription | null = null;
  #holder: DaemonHolder | null | undefined = undefined;
  #running: Promise<void> | null = null;
  #isStale = false;
  #isOver = false;

  constructor(parts: GuideParts) {
    this.#parts = parts;
    const { clock, random } = parts;
    // Spread: or a thousand workspaces would be looked up in one instant.
    const pauseMs = () => protocol.tailCheckMs * (0.75 + random.fraction() / 2);
    this.#checks = repeat(clock, pauseMs, () => this.#check());
    void this.#listen().then(() => this.refresh());
  }

  /** Undefined until the first answer. */
  get holder(): DaemonHolder | null | undefined {
    return this.#holder;
  }

  /** Looks again; what was being read is not believed any more. */
  refresh(): Promise<void> {
    this.#isStale = true;
    this.#running ??= this.#read().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** The session did not take a letter, or died. */
  async doubt(session: string): Promise<void> {
    if (this.#holder?.session !== session) return;
    await this.#parts.watch.suspect(session).catch(() => false);
    await this.refresh();
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#checks.cancel();
    await this.#subscription?.close().catch(() => {});
  }

  async #listen(): Promise<void> {
    const { bus, workspace } = this.#parts;
    try {
      const subscription = await bus.subscribe(relayChannel(workspace), () => void this.refresh());
      if (this.#isOver) await subscription.close();
      else this.#subscription = subscription;
    } catch (error) {
      this.#report('relay.listen-failed', error);
    }
  }

  async #check(): Promise<void> {
    if (!this.#subscription) await this.#listen();
    const session = this.#holder?.session;
    if (session !== undefined && session !== this.#parts.ownSession()) {
      // Nobody may be writing to a daemon whose node was killed; its browsers should know all the same.
      const receivers = await this.#parts.bus.receivers(inboxChannel(session)).catch(() => 1);
      if (receivers === 0) return this.doubt(session);
    }
    await this.refresh();
  }

  async #read(): Promise<void> {
    const { registry, workspace, watch } = this.#parts;
    while (this.#isStale && !this.#isOver) {
      this.#isStale = false;
      try {
        const name = await registry.holder(nameOfDaemon(workspace));
        if (this.#isStale || this.#isOver) continue;
        const holder = name && !watch.isKnownDead(name.session) ? readHolder(name) : null;
        this.#accept(holder);
      } catch (error) {
        // What was known is kept: the broker is away, not the daemon.
        this.#report('relay.lookup-failed', error);
      }
    }
  }

  #accept(holder: DaemonHolder | null): void {
    const known = this.#holder;
    const isSame =
      known !== undefined && known?.way === holder?.way && known?.session === holder?.session;
    this.#holder = holder;
    if (!isSame) this.#parts.found(holder);
  }

  #report(name: string, thrown: unknown): void {
    const { code } = asBackplaneError(thrown);
    this.#parts.logger.event('debug', name, { workspace: this.#parts.workspace, code });
  }
}
