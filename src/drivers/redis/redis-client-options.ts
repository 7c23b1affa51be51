import { isIP } from 'node:net';
import type { RedisOptions } from 'ioredis';
import type { RedisAddress } from '../../foundation/url.ts';
import type { Random } from '../../ports/random.ts';

export const connectTimeoutMs = 2_000;
const backoffMsMin = 25;
/** A node is of no use before it is connected again, so this is part of every recovery. */
const backoffMsMax = 500;

export interface RedisClientParts {
  readonly address: RedisAddress;
  readonly name: string;
  readonly random: Random;
}

/**
 * How ioredis has to behave for `RedisConnection` to keep its promises: it neither queues nor
 * repeats a command, and leaves subscriptions to us.
 */
export function redisClientOptions(parts: RedisClientParts): RedisOptions {
  const { address, random } = parts;
  const { host, port, path, username, password, db } = address;
  return {
    ...(path === null ? { host: host ?? 'localhost', port } : { path }),
    ...(address.tls && { tls: host && !isIP(host) ? { servername: host } : {} }),
    // HELLO with a user but no password is refused, which is what should happen.
    ...(username !== null && { username }),
    ...((username !== null || password !== null) && { password: password?.reveal() ?? '' }),
    db,
    connectionName: parts.name,
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
