import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { BackplaneError } from '../../foundation/errors.ts';
import type { RedisAddress } from '../../foundation/url.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import { HeadLines } from './head-lines.ts';
import { connectTimeoutMs } from './redis-client-options.ts';
import { redisFailure } from './redis-errors.ts';

export interface RedisMonitorOptions {
  readonly address: RedisAddress;
  readonly clock: Clock;
  /** Each command, in the order of the server, cut off after `lineCharsKept`. */
  readonly told: (line: string) => void;
  /** It watches again, from here on. Not called for the first time, by `open`. */
  readonly restored: () => void;
  /** From here on nothing is seen; it tries to come back. */
  readonly lost: () => void;
}

/** Names and ids at their longest, every byte escaped, and the text of a script before them. */
const lineCharsKept = 16_384;
const retryMs = 50;
const markTimeoutMs = 10_000;

/**
 * Every command a Redis runs, whoever sends it, those within scripts included. Not ioredis: it
 * splits lines at quotes that belong to a payload, and keeps all of every line.
 */
export class RedisMonitor {
  readonly #options: RedisMonitorOptions;
  readonly #where: string;
  readonly #marks = new Map<string, () => void>();
  #socket: Socket | null = null;
  #isWatching = false;
  #isClosed = false;
  #retry: Timer | null = null;
  #marksMade = 0;

  constructor(options: RedisMonitorOptions) {
    const { host, port, path } = options.address;
    this.#options = options;
    this.#where = path ?? `${host}:${port}`;
  }

  /** Resolves when it watches. Fails, and stays closed. */
  async open(): Promise<void> {
    try {
      await this.#watch();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get isWatching(): boolean {
    return this.#isWatching;
  }

  /** Resolves when all that the server did before the call was told. */
  mark(): Promise<void> {
    const mark = `mark-${++this.#marksMade}`;
    return new Promise((resolve, reject) => {
      if (this.#socket === null || !this.#isWatching) return reject(this.#failure('is not there'));
      const timer = this.#options.clock.after(markTimeoutMs, () => {
        this.#marks.delete(mark);
        this.#socket?.destroy();
        reject(this.#failure(`said nothing for ${markTimeoutMs} ms`));
      });
      this.#marks.set(mark, () => {
        timer.cancel();
        if (this.#isWatching) resolve();
        else reject(this.#failure('was lost'));
      });
      // Its answer comes behind everything that was told on this connection.
      this.#socket.write(command('PING', mark));
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#socket?.destroy();
    this.#end();
  }

  /** Connects and begins to watch; what is lost later is handled from then on. */
  #watch(): Promise<void> {
    const { address, clock } = this.#options;
    const greetings = greetingsOf(address);
    let expected = greetings.length;
    const socket = connectTo(address);
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      let failure = this.#failure('closed the connection');
      const late = clock.after(connectTimeoutMs, () => {
        failure = this.#failure(`did not answer within ${connectTimeoutMs} ms`);
        socket.destroy();
      });
      const lines = new HeadLines(lineCharsKept, (line) => {
        if (expected === 0) return this.#line(line);
        if (line.startsWith('-')) {
          failure = this.#refusal(line.slice(1));
          socket.destroy();
        } else if (--expected === 0) {
          late.cancel();
          this.#isWatching = true;
          resolve();
        }
      });
      socket.on('data', (chunk) => lines.push(chunk));
      socket.on('error', (error) => {
        failure = redisFailure(error, attempt('connect'), this.#caller());
      });
      socket.on('close', () => {
        late.cancel();
        reject(failure);
        if (this.#socket === socket) this.#lost();
      });
      socket.write(greetings.join(''));
    });
  }

  #line(line: string): void {
    if (line.startsWith('+')) return this.#options.told(line);
    const reached = this.#marks.get(line);
    this.#marks.delete(line);
    reached?.();
  }

  #lost(): void {
    const wasWatching = this.#isWatching;
    this.#end();
    if (this.#isClosed || !wasWatching) return;
    this.#options.lost();
    this.#tryAgain();
  }

  #end(): void {
    this.#socket = null;
    this.#isWatching = false;
    for (const reached of this.#marks.values()) reached();
    this.#marks.clear();
  }

  #tryAgain(): void {
    this.#retry = this.#options.clock.after(retryMs, () => {
      this.#watch().then(this.#options.restored, () => {
        if (!this.#isClosed) this.#tryAgain();
      });
    });
  }

  #caller() {
    const user = this.#options.address.username ?? 'default';
    return { where: this.#where, user, prefix: '' };
  }

  #refusal(reply: string): BackplaneError {
    const error = new Error(reply);
    error.name = 'ReplyError';
    return redisFailure(error, attempt('MONITOR'), this.#caller());
  }

  #failure(what: string): BackplaneError {
    const message = `the monitor of Redis at ${this.#where} ${what}`;
    return new BackplaneError('BACKPLANE_UNREACHABLE', message);
  }
}

function attempt(verb: string) {
  return { verb, keys: [], channels: [], writes: false, script: null };
}

/** Each is answered with one line. */
function greetingsOf({ username, password }: RedisAddress): string[] {
  const words = [...(username === null ? [] : [username]), password?.reveal() ?? ''];
  const isAnonymous = username === null && password === null;
  return [...(isAnonymous ? [] : [command('AUTH', ...words)]), command('MONITOR')];
}

function command(...words: string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}

function connectTo({ host, port, path, tls }: RedisAddress): Socket {
  if (path !== null) return connect(path);
  const place = { host: host ?? 'localhost', port, keepAlive: true, noDelay: true };
  if (!tls) return connect(place);
  return connectTls({ ...place, ...(host && !isIP(host) && { servername: host }) });
}
