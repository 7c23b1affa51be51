import { isIP } from 'node:net';
import { Redis } from 'ioredis';
import { BackplaneError } from '../../foundation/errors.ts';
import { protocol } from '../../foundation/limits.ts';
import type { RedisAddress } from '../../foundation/url.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import { DeadlineQueue } from './deadline-queue.ts';
import { isReply, type RedisAttempt, type RedisCaller, redisFailure } from './redis-errors.ts';

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

const connectTimeoutMs = 2_000;
const bulkTimeoutMs = 5_000;
const backoffMsMin = 25;
const backoffMsMax = 2_000;

/**
 * One connection to Redis that restores itself. A command without a connection fails at once and
 * definitely; one that was under way when the connection broke fails with BACKPLANE_LOST and is
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
  #handshake: Timer | null = null;
  #isCorked = false;
  #isClosed = false;
  #repliesSeen = 0;

  constructor(options: RedisConnectionOptions) {
    const { address, clock } = options;
    this.#options = options;
    this.where = address.path ?? `${address.host}:${address.port}`;
    this.#caller = {
      where: this.where,
      user: address.username ?? 'default',
      prefix: options.prefix,
    };
    this.#deadlines = new DeadlineQueue(clock, protocol.renewalTimeoutMs);
    this.#bulkDeadlines = new DeadlineQueue(clock, bulkTimeoutMs);
    this.#client = new Redis(clientOptions(options));
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
    const { clock } = this.#options;
    let timer: Timer | null = null;
    const tooLate = new Promise<never>((_, reject) => {
      timer = clock.after(connectTimeoutMs, () => {
        const message = `Redis at ${this.where} did not answer within ${connectTimeoutMs} ms`;
        const remedy = this.#options.address.tls
          ? 'check that the server speaks TLS; without it the URL starts with redis://'
          : 'check --url; a server that wants TLS needs rediss://';
        reject(new BackplaneError('BACKPLANE_UNREACHABLE', message, { remedy }));
      });
    });
    try {
      await Promise.race([this.#client.connect(), tooLate]);
      if (this.#refusal) throw this.#refusal;
    } catch (error) {
      this.close();
      throw this.#failure ?? redisFailure(error, connecting, this.#caller);
    } finally {
      (timer as Timer | null)?.cancel();
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
    const attempt = attemptOf(call);
    if (this.#isClosed) return Promise.reject(this.#closedError(attempt.verb));
    if (!this.#isReady) return Promise.reject(this.#failure ?? this.#notConnected());
    return new Promise((resolve, reject) => {
      const deadlines = call.bulk ? this.#bulkDeadlines : this.#deadlines;
      const repliesBefore = this.#repliesSeen;
      const awaited = deadlines.add(() => {
        reject(this.#silence(attempt, deadlines.timeoutMs));
        if (this.#repliesSeen === repliesBefore) this.breakOff();
      });
      this.#issue(call).then(
        (reply) => {
          this.#repliesSeen += 1;
          if (deadlines.settle(awaited)) resolve(reply);
        },
        (error) => {
          if (isReply(error)) this.#repliesSeen += 1;
          if (deadlines.settle(awaited)) reject(redisFailure(error, attempt, this.#caller));
        },
      );
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

  #silence(attempt: RedisAttempt, timeoutMs: number): BackplaneError {
    return new BackplaneError(
      'BACKPLANE_LOST',
      `Redis at ${this.where} did not answer ${attempt.verb} within ${timeoutMs} ms`,
      { certainty: attempt.writes ? 'indefinite' : 'definite' },
    );
  }

  #closedError(verb: string): BackplaneError {
    return new BackplaneError('CLOSED', `${verb} was called after the connection was closed`);
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
    for (const listen of this.#readyListeners) listen();
  }

  #lost(): void {
    this.#handshake?.cancel();
    this.#isReady = false;
    if (this.#isClosed) return;
    this.#failure ??= redisFailure(new Error('connection lost'), connecting, this.#caller);
    const { code, message } = this.#failure;
    this.#options.logger.event('warn', 'redis.disconnected', { ...this.#facts(), code, message });
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

function attemptOf(call: RedisCall): RedisAttempt {
  return {
    verb: call.script?.name ?? call.verb,
    keys: call.keys ?? [],
    channels: call.channels ?? [],
    writes: call.writes,
    script: call.script?.text ?? null,
  };
}

function clientOptions(options: RedisConnectionOptions) {
  const { address, random } = options;
  const { host, port, path, username, password, db } = address;
  return {
    ...(path === null ? { host: host ?? 'localhost', port } : { path }),
    ...(address.tls && { tls: host && !isIP(host) ? { servername: host } : {} }),
    // HELLO with a user but no password is refused, which is what should happen.
    ...(username !== null && { username }),
    ...((username !== null || password !== null) && { password: password?.reveal() ?? '' }),
    db,
    connectionName: options.name,
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    keepAlive: 10_000,
    // Never let a command wait for a connection, and never send one twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // Ours: theirs leaves a rejected promise without a handler when it fails.
    autoResubscribe: false,
    // It asks INFO, which a minimal user may not; LOADING is an answer like any other.
    enableReadyCheck: false,
    disableClientInfo: true,
    retryStrategy(attempts: number) {
      const delayMs = Math.min(backoffMsMax, backoffMsMin * 2 ** (attempts - 1));
      return delayMs * (0.5 + random.fraction());
    },
  };
}
