import { BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import type { RedisAddress } from '../../foundation/url.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import type { Tap, Witness } from '../../ports/tap.ts';
import { RedisKeys } from './keys.ts';
import { RedisConnection } from './redis-connection.ts';
import { RedisMonitor } from './redis-monitor.ts';
import { RedisScripts } from './redis-scripts.ts';
import { RedisSessions } from './redis-sessions.ts';
import { RedisTapReader } from './redis-tap-reader.ts';

export interface RedisTapParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly prefix?: string;
  readonly witness: Witness;
  /** False when the logs are elsewhere. */
  readonly watchesStore: boolean;
}

const flushTimeoutMs = 10_000;
const pauseMs = 25;

/**
 * Listens with MONITOR, which costs the server a fifth of its throughput and more. Sessions that
 * are open already are told first. A session that runs out is told when it is buried.
 *
 * When the connection was lost, `unseen` is told at once; when it is back, what became of the
 * sessions meanwhile is read and told, so that nobody waits for an opening that went unseen.
 */
export async function openRedisTap(address: RedisAddress, parts: RedisTapParts): Promise<Tap> {
  const keys = new RedisKeys(parts.prefix);
  const connection = new RedisConnection({
    ...{ address, prefix: keys.prefix, name: 'backplane-tap' },
    ...{ clock: parts.clock, random: parts.random, logger: parts.logger },
  });
  const tap = new RedisTap(address, parts, keys, connection);
  try {
    await connection.open();
    await tap.open();
    return tap;
  } catch (error) {
    await tap.close();
    throw error;
  }
}

class RedisTap implements Tap {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #connection: RedisConnection;
  readonly #sessions: RedisSessions;
  readonly #reader: RedisTapReader;
  readonly #monitor: RedisMonitor;
  /** How often it was lost. */
  #losses = 0;
  /** Of which of these the sessions were read since. */
  #readAfter = -1;
  #isClosed = false;

  constructor(
    address: RedisAddress,
    { clock, logger, random, witness, watchesStore }: RedisTapParts,
    keys: RedisKeys,
    connection: RedisConnection,
  ) {
    this.#clock = clock;
    this.#logger = logger;
    this.#connection = connection;
    const scripts = new RedisScripts(connection, false);
    this.#sessions = new RedisSessions(connection, scripts, keys, random);
    this.#reader = new RedisTapReader({ keys, db: address.db, watchesStore, witness });
    this.#monitor = new RedisMonitor({
      ...{ address, clock },
      told: (line) => this.#read(line),
      lost: () => this.#lost(),
      restored: () => void this.#catchUp(),
    });
  }

  async open(): Promise<void> {
    await this.#monitor.open();
    await this.#readSessions();
  }

  /** Waits for a connection that was lost, within bounds: fails with BACKPLANE_UNREACHABLE. */
  async flush(): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + flushTimeoutMs;
    for (;;) {
      if (this.#isClosed)
        throw new BackplaneError('CLOSED', 'the tap was used after it was closed');
      const losses = this.#losses;
      try {
        if (this.#readAfter === losses) return await this.#monitor.mark();
      } catch (error) {
        if (this.#isClosed || this.#clock.monotonicMs() >= untilMs) throw error;
      }
      if (this.#clock.monotonicMs() >= untilMs) {
        throw new BackplaneError('BACKPLANE_UNREACHABLE', 'nothing was heard of Redis any more');
      }
      await sleep(this.#clock, pauseMs);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#monitor.close();
    this.#connection.close();
  }

  #read(line: string): void {
    if (this.#isClosed) return;
    try {
      this.#reader.line(line);
    } catch (error) {
      if (!isBackplaneError(error)) throw error;
      this.#logger.event('warn', 'tap.unreadable', { code: error.code, message: error.message });
      this.#reader.unseen();
    }
  }

  #lost(): void {
    this.#losses += 1;
    this.#logger.event('info', 'tap.lost', { where: this.#connection.where });
    this.#reader.unseen();
  }

  async #catchUp(): Promise<void> {
    const losses = this.#losses;
    while (!this.#isClosed && this.#losses === losses && this.#readAfter !== losses) {
      try {
        await this.#readSessions();
      } catch (error) {
        if (!isBackplaneError(error)) throw error;
        await sleep(this.#clock, pauseMs);
      }
    }
  }

  /** Asked while it is listened, so that a change is either in the answer or told later. */
  async #readSessions(): Promise<void> {
    const losses = this.#losses;
    const believed = this.#reader.openSessions();
    const records = await this.#sessions.list();
    if (this.#isClosed || this.#losses !== losses) return;
    const live = new Map(
      records
        .filter(({ state }) => state === 'live')
        .map(({ id, description }) => [id, description.nodeId]),
    );
    for (const id of believed) if (!live.has(id)) this.#reader.sessionGone(id);
    for (const [id, nodeId] of live) this.#reader.sessionOpened(id, nodeId);
    this.#readAfter = losses;
  }
}
