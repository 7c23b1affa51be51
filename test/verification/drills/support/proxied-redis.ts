import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import {
  type FaultProxy,
  openFaultProxy,
} from '../../../../src/verification/drills/proxy/fault-proxy.ts';
import type {
  WireFault,
  WireFaultHandle,
} from '../../../../src/verification/drills/proxy/wire-fault.ts';
import { SeededRandom } from '../../../../src/verification/seeded-random.ts';
import { realClock } from '../../../support/real-clock.ts';
import { type RedisServer, startRedisServer } from '../../../support/redis-server.ts';

/** A real Redis behind a fault proxy, and all that was opened on it. */
export class ProxiedRedis {
  readonly server: RedisServer;
  proxy!: FaultProxy;
  readonly #open: (() => void)[] = [];

  private constructor(server: RedisServer) {
    this.server = server;
  }

  static async start(): Promise<ProxiedRedis> {
    return new ProxiedRedis(await startRedisServer());
  }

  /** A proxy without faults and a server without data. */
  async renew(scripts: ReadonlyMap<string, string> = new Map()): Promise<void> {
    await this.#release();
    await this.server.cli('FLUSHALL');
    const random = new SeededRandom(1);
    const upstream = () => this.server.port;
    this.proxy = await openFaultProxy({ upstream, clock: realClock, random, scripts });
  }

  async stop(): Promise<void> {
    await this.#release();
    await this.server.stop();
  }

  inject(fault: WireFault): WireFaultHandle {
    return this.proxy.inject(fault);
  }

  /** An ioredis client that neither repeats nor queues anything. */
  async client(options: RedisOptions = {}): Promise<Redis> {
    const client = new Redis({
      ...{ host: '127.0.0.1', port: this.proxy.port, lazyConnect: true, disableClientInfo: true },
      ...{ enableOfflineQueue: false, autoResendUnfulfilledCommands: false },
      ...{ maxRetriesPerRequest: 0, autoResubscribe: false, retryStrategy: () => null },
      ...options,
    });
    client.on('error', () => {});
    this.#open.push(() => client.disconnect());
    await client.connect();
    return client;
  }

  /** A subscriber that keeps what it hears. */
  async listener(channel: string, options: RedisOptions = {}): Promise<Listener> {
    const client = await this.client(options);
    const heard: string[] = [];
    client.on('message', (from, text) => heard.push(`${from} ${text}`));
    client.on('pmessage', (_, from, text) => heard.push(`${from} ${text}`));
    if (channel.includes('*')) await client.psubscribe(channel);
    else await client.subscribe(channel);
    return { client, heard };
  }

  /** A bare socket, for what no client would send. */
  async socket(): Promise<RawSocket> {
    const socket = connect(this.proxy.port, '127.0.0.1');
    this.#open.push(() => socket.destroy());
    const raw: RawSocket = { socket, received: '', ended: null };
    socket.on('data', (data) => {
      raw.received += data.toString('latin1');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      raw.ended = error.code ?? 'error';
    });
    socket.on('close', () => {
      raw.ended ??= 'closed';
    });
    await once(socket, 'connect');
    return raw;
  }

  async #release(): Promise<void> {
    for (const close of this.#open.splice(0)) close();
    await this.proxy?.close();
  }
}

export interface Listener {
  readonly client: Redis;
  readonly heard: string[];
}

export interface RawSocket {
  readonly socket: Socket;
  received: string;
  ended: string | null;
}
