import { Redis } from 'ioredis';
import { BackplaneError } from '../../foundation/errors.ts';
import { limits, protocol } from '../../foundation/limits.ts';
import type { RedisAddress } from '../../foundation/url.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import { type Awaited, DeadlineQueue } from './deadline-queue.ts';
import { connectTimeoutMs, redisClientOptions } from './redis-client-options.ts';
import {
  isReply,
  lostDetails,
  type RedisAttempt,
  type RedisCaller,
  redisFailure,
} from './redis-errors.ts';

export type RedisArgument = string | Buffer | number;

export interface RedisCall {
  readonly verb: string;
  readonly args: readonly RedisArgument[];
  /** The keys and channels among `args`, and the script's text: to explain a refusal. */
  readonly keys?: readonly string[];
  readonly channels?: readonly string[];
  readonly script?: { readonly name: string; readonly text: string };
  /** Whether a lost answer leaves a doubt. */
  readonly writes: boolean;
  /** Strings of the reply stay Buffers. */
  readonly binary?: boolean;
  /** Megabytes may be under way, so the answer may take longer. */
  readonly bulk?: boolean;
}

export interface RedisConnectionOptions {
  readonly address: RedisAddress;
  readonly prefix: string;
  /** Shown in CLIENT LIST. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const bulkTimeoutMs = 5_000;

interface PendingCall {
  call: RedisCall;
  readonly attempt: RedisAttempt;
  readonly awaited: Awaited;
  /** How many replies had come when it was sent; null while it was not. */
  repliesBefore: number | null;
  resolve(reply: unknown): void;
  reject(error: BackplaneError): void;
}

/**
 * One connection to Redis that restores itself. Right after it broke, commands wait for the first
 * attempt to reconnect; without a connection they fail at once and definitely. One that was under way when the connection broke fails with BACKPLANE_LOST and is
 * never sent again; every command is answered by its deadline. A connection that says nothing for
 * a whole deadline is taken for half-open and replaced.
 */
export class RedisConnection {
  readonly where: string;
  readonly #options: RedisConnectionOptions;
  readonly #caller: RedisCaller;
  readonly #client: Redis;
  readonly #deadlines: DeadlineQueue;
  readonly #bulkDeadlines: DeadlineQueue;
  readonly #readyListeners = new Set<() => void>();
  #failure: BackplaneError | null = null;
  #refusal: BackplaneError | null = null;
  #isReady = false;
  /** Calls that wait for the outcome of the first attempt to reconnect; null at all other times. */
  #waiting: PendingCall[] | null = null;
  #handshake: Timer | null = null;
  #isCorked = false;
  #isClosed = false;
  #repliesSeen = 0;

  constructor(options: RedisConnectionOptions) {
    const { address, clock } = options;
    this.#options = options;
    this.where = whereOf(address);
    this.#caller = {
      where: this.where,
      user: address.username ?? 'default',
      prefix: options.prefix,
    };
    this.#deadlines = new DeadlineQueue(clock, protocol.renewalTimeoutMs);
    this.#bulkDeadlines = new DeadlineQueue(clock, bulkTimeoutMs);
    this.#client = new Redis(redisClientOptions(options));
    this.#client.on('error', (error) => {
      this.#failure = redisFailure(error, connecting, this.#caller);
      // A refused SELECT would leave us ready, in the wrong database.
      if (this.#client.status === 'connect') this.#refusal = this.#failure;
    });
    this.#client.on('connect', () => this.#watchHandshake());
    this.#client.on('ready', () => this.#ready());
    this.#client.on('close', () => this.#lost());
  }

  /** Connects, or fails within 2 s and stays closed. */
  async open(): Promise<void> {
    const giveUp = this.#options.clock.after(connectTimeoutMs, () => {
      this.#failure ??= this.#noAnswer();
      this.close();
    });
    try {
      await this.#client.connect();
      if (this.#refusal) throw this.#refusal;
    } catch (error) {
      this.close();
      throw this.#failure ?? redisFailure(error, connecting, this.#caller);
    } finally {
      giveUp.cancel();
    }
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Called at each new connection, the first included. */
  onReady(listen: () => void): void {
    this.#readyListeners.add(listen);
  }

  onMessage(listen: (channel: Buffer, payload: Buffer) => void): void {
    this.#client.on('messageBuffer', listen);
  }

  call(call: RedisCall): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(this.#closedError());
    return new Promise((resolve, reject) => {
      const deadlines = call.bulk ? this.#bulkDeadlines : this.#deadlines;
      const pending: PendingCall = {
        call,
        attempt: attemptOf(call),
        repliesBefore: null,
        awaited: deadlines.add(() => reject(this.#expire(pending, deadlines.timeoutMs))),
        resolve: (reply) => {
          if (deadlines.settle(pending.awaited)) resolve(reply);
        },
        reject: (error) => {
          if (deadlines.settle(pending.awaited)) reject(error);
        },
      };
      this.#sendOrWait(pending);
    });
  }

  /** Throws the connection away; a new one follows by itself. */
  breakOff(): void {
    // Not `disconnect`: that ends politely, and waits for the other side to do so too.
    if (!this.#isClosed) this.#client.stream?.destroy();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handshake?.cancel();
    this.#client.disconnect();
    this.#client.stream?.destroy();
    this.#deadlines.stop();
    this.#bulkDeadlines.stop();
    this.#refuseWaiting(this.#closedError());
  }

  #sendOrWait(pending: PendingCall): void {
    if (this.#isReady && this.#client.status === 'ready') return this.#send(pending);
    // It broke in this very moment, and we have not been told yet.
    if (this.#isReady) this.#waiting ??= [];
    if (this.#waiting && this.#waiting.length < limits.requestsPendingMax) {
      // Until it is sent, the caller may do with its bytes what it likes.
      const args = pending.call.args.map((arg) => (Buffer.isBuffer(arg) ? Buffer.from(arg) : arg));
      pending.call = { ...pending.call, args };
      this.#waiting.push(pending);
    } else {
      pending.reject(this.#failure ?? this.#notConnected());
    }
  }

  #send(pending: PendingCall): void {
    pending.repliesBefore = this.#repliesSeen;
    this.#issue(pending.call).then(
      (reply) => {
        this.#repliesSeen += 1;
        pending.resolve(reply);
      },
      (error) => {
        if (isReply(error)) this.#repliesSeen += 1;
        pending.reject(redisFailure(error, pending.attempt, this.#caller));
      },
    );
  }

  #expire(pending: PendingCall, timeoutMs: number): BackplaneError {
    const { attempt, repliesBefore } = pending;
    if (repliesBefore === null) {
      this.#waiting = this.#waiting?.filter((one) => one !== pending) ?? null;
      return this.#failure ?? this.#notConnected();
    }
    if (repliesBefore === this.#repliesSeen) this.breakOff();
    return new BackplaneError(
      'BACKPLANE_LOST',
      `Redis at ${this.where} did not answer ${attempt.verb} within ${timeoutMs} ms`,
      lostDetails(attempt.writes),
    );
  }

  #refuseWaiting(error: BackplaneError): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const pending of waiting) pending.reject(error);
  }

  #issue(call: RedisCall): Promise<unknown> {
    this.#cork();
    const args = call.args as RedisArgument[];
    return call.binary
      ? this.#client.callBuffer(call.verb, args)
      : this.#client.call(call.verb, args);
  }

  /** All commands of one tick leave in one write; that saves most of the cost of sending. */
  #cork(): void {
    if (this.#isCorked) return;
    const { stream } = this.#client;
    this.#isCorked = true;
    stream.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      stream.uncork();
    });
  }

  #closedError(): BackplaneError {
    return new BackplaneError('CLOSED', 'the connection to Redis was used after it was closed');
  }

  #noAnswer(): BackplaneError {
    const message = `Redis at ${this.where} did not answer within ${connectTimeoutMs} ms`;
    const remedy = this.#options.address.tls
      ? 'check that the server speaks TLS; without it the URL starts with redis://'
      : 'check --url; a server that wants TLS needs rediss://';
    return new BackplaneError('BACKPLANE_UNREACHABLE', message, { remedy });
  }

  #notConnected(): BackplaneError {
    return new BackplaneError('BACKPLANE_UNREACHABLE', `no connection to Redis at ${this.where}`);
  }

  #watchHandshake(): void {
    this.#refusal = null;
    // A server that is stopped, not gone, still accepts connections: its kernel does.
    this.#handshake?.cancel();
    this.#handshake = this.#options.clock.after(connectTimeoutMs, () => this.breakOff());
  }

  #ready(): void {
    this.#handshake?.cancel();
    if (this.#refusal) return this.breakOff();
    this.#isReady = true;
    if (this.#failure) this.#options.logger.event('info', 'redis.reconnected', this.#facts());
    this.#failure = null;
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const listen of this.#readyListeners) listen();
    for (const pending of waiting) this.#send(pending);
  }

  #lost(): void {
    this.#handshake?.cancel();
    const wasReady = this.#isReady;
    this.#isReady = false;
    if (this.#isClosed) return;
    this.#failure ??= new BackplaneError(
      'BACKPLANE_UNREACHABLE',
      `the connection to Redis at ${this.where} was lost`,
    );
    if (wasReady) this.#waiting ??= [];
    else this.#refuseWaiting(this.#failure);
    const { code, message } = this.#failure;
    // One warning an outage; each further attempt that fails would only repeat it.
    const [level, name] = wasReady
      ? (['warn', 'redis.disconnected'] as const)
      : (['debug', 'redis.connecting-failed'] as const);
    this.#options.logger.event(level, name, { ...this.#facts(), code, message });
  }

  #facts(): Record<string, unknown> {
    return { where: this.where, connection: this.#options.name };
  }
}

const connecting: RedisAttempt = {
  verb: 'connect',
  keys: [],
  channels: [],
  writes: false,
  script: null,
};

function whereOf({ path, host, port }: RedisAddress): string {
  return path ?? (host?.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
}

function attemptOf(call: RedisCall): RedisAttempt {
  return {
    verb: call.script?.name ?? call.verb,
    keys: call.keys ?? [],
    channels: call.channels ?? [],
    writes: call.writes,
    script: call.script?.text ?? null,
  };
}
