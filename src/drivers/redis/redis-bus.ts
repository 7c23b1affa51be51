import { asBackplaneError, BackplaneError } from '../../foundation/errors.ts';
import { protocol } from '../../foundation/limits.ts';
import type { Bus, BusListener, Subscription, Unlisten } from '../../ports/bus.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';
import { plainBytes, RedisReply } from './redis-replies.ts';

export interface RedisBusParts {
  readonly commands: RedisConnection;
  readonly subscriber: RedisConnection;
  readonly keys: RedisKeys;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One channel at the server, however many of us listen to it. */
interface Channel {
  readonly listeners: Set<BusListener>;
  /** The last SUBSCRIBE or UNSUBSCRIBE for it; the next one waits, or a listener could start early. */
  turn: Promise<void>;
}

const channelsAtOnce = 1_000;
const resubscribePauseMs = 500;

/**
 * Redis's pub/sub over a connection of its own. After that connection was away, every channel is
 * subscribed again before anybody is told that messages may be missing.
 */
export class RedisBus implements Bus {
  readonly #parts: RedisBusParts;
  readonly #channels = new Map<string, Channel>();
  readonly #interrupted = new Set<() => void>();
  readonly #restored = new Set<() => void>();
  #connections = 0;
  #isClosed = false;

  constructor(parts: RedisBusParts) {
    this.#parts = parts;
    parts.subscriber.onMessage((channel, payload) => {
      const listeners = this.#channels.get(channel.toString())?.listeners;
      if (!listeners) return;
      const bytes = plainBytes(payload);
      for (const listen of [...listeners]) listen(bytes);
    });
    parts.subscriber.onReady(() => {
      this.#connections += 1;
      if (this.#connections > 1) void this.#restore(this.#connections);
    });
  }

  async publish(channel: string, payload: Uint8Array): Promise<number> {
    this.#requireOpen();
    const name = this.#parts.keys.channel(channel);
    const args = [name, Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)];
    const call = { verb: 'PUBLISH', args, channels: [name], writes: true };
    return new RedisReply(name).count(await this.#parts.commands.call(call));
  }

  async subscribe(channel: string, listen: BusListener): Promise<Subscription> {
    this.#requireOpen();
    const name = this.#parts.keys.channel(channel);
    // Its own function each time: one listener may be given to two subscriptions.
    const listener: BusListener = (payload) => listen(payload);
    await this.#inTurn(name, async (entry) => {
      if (entry.listeners.size === 0) await this.#send('SUBSCRIBE', [name]);
      entry.listeners.add(listener);
    });
    let closing: Promise<void> | null = null;
    return {
      close: () => {
        closing ??= this.#leave(name, listener);
        return closing;
      },
    };
  }

  async receivers(channel: string): Promise<number> {
    this.#requireOpen();
    const name = this.#parts.keys.channel(channel);
    const call = { verb: 'PUBSUB', args: ['NUMSUB', name], channels: [name], writes: false };
    const reply = new RedisReply(name);
    return reply.count(reply.list(await this.#parts.commands.call(call))[1]);
  }

  onInterrupted(listen: () => void): Unlisten {
    this.#interrupted.add(listen);
    return () => this.#interrupted.delete(listen);
  }

  async reconnectSubscriber(): Promise<void> {
    this.#requireOpen();
    const { clock, subscriber } = this.#parts;
    await new Promise<void>((resolve, reject) => {
      const timer = clock.after(protocol.renewalTimeoutMs, () => {
        this.#restored.delete(done);
        const message = `Redis at ${subscriber.where} took no new subscriber connection in time`;
        reject(new BackplaneError('BACKPLANE_UNREACHABLE', message));
      });
      const done = () => {
        timer.cancel();
        resolve();
      };
      this.#restored.add(done);
      subscriber.breakOff();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#channels.clear();
  }

  async #leave(name: string, listener: BusListener): Promise<void> {
    this.#channels.get(name)?.listeners.delete(listener);
    if (this.#isClosed) return;
    await this.#inTurn(name, async (entry) => {
      if (entry.listeners.size > 0 || !this.#parts.subscriber.isReady) return;
      await this.#send('UNSUBSCRIBE', [name]).catch((error) => {
        // A lost connection has left every channel, and only those still listened to return.
        if (asBackplaneError(error).code !== 'BACKPLANE_LOST') throw error;
      });
    });
  }

  /** Runs one step after the other for a channel, and forgets a channel nobody listens to. */
  async #inTurn(name: string, step: (entry: Channel) => Promise<void>): Promise<void> {
    const entry = this.#channels.get(name) ?? { listeners: new Set(), turn: Promise.resolve() };
    this.#channels.set(name, entry);
    const mine = entry.turn.then(() => step(entry));
    const over = mine.catch(() => {});
    entry.turn = over;
    try {
      await mine;
    } finally {
      if (entry.listeners.size === 0 && entry.turn === over) this.#channels.delete(name);
    }
  }

  async #send(verb: 'SUBSCRIBE' | 'UNSUBSCRIBE', channels: string[]): Promise<void> {
    const { subscriber } = this.#parts;
    try {
      await subscriber.call({ verb, args: channels, channels, writes: true });
    } catch (error) {
      // A late answer would leave us counted as a receiver of what nobody here listens to.
      if (asBackplaneError(error).code === 'BACKPLANE_LOST') subscriber.breakOff();
      throw error;
    }
  }

  /** Subscribes to everything again on this connection, unless it breaks as well. */
  async #restore(connection: number): Promise<void> {
    const { clock, subscriber, logger } = this.#parts;
    const isCurrent = () => connection === this.#connections && !this.#isClosed;
    try {
      const names = [...this.#channels].filter(([, entry]) => entry.listeners.size > 0);
      for (let from = 0; from < names.length; from += channelsAtOnce) {
        const some = names.slice(from, from + channelsAtOnce).map(([name]) => name);
        await subscriber.call({ verb: 'SUBSCRIBE', args: some, channels: some, writes: true });
      }
    } catch (error) {
      if (!isCurrent()) return;
      const { code, message } = asBackplaneError(error);
      logger.event('warn', 'redis.resubscribe-failed', { code, message });
      clock.after(resubscribePauseMs, () => {
        if (isCurrent()) subscriber.breakOff();
      });
      return;
    }
    if (!isCurrent()) return;
    for (const listen of [...this.#interrupted]) listen();
    for (const done of [...this.#restored]) done();
    this.#restored.clear();
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new BackplaneError('CLOSED', 'the bus was used after it was closed');
  }
}
