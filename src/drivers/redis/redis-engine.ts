import { BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import type { RedisAddress } from '../../foundation/url.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine, InspectableStore } from '../../ports/engine.ts';
import { type Logger, silentLogger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import { RedisKeys } from './keys.ts';
import { RedisBus } from './redis-bus.ts';
import { RedisCacheRecords } from './redis-cache-records.ts';
import { RedisClusterRecords } from './redis-cluster-records.ts';
import { RedisConnection } from './redis-connection.ts';
import { RedisInspector } from './redis-inspector.ts';
import { RedisLeases } from './redis-leases.ts';
import { RedisRegistry } from './redis-registry.ts';
import { RedisReply } from './redis-replies.ts';
import { RedisScripts } from './redis-scripts.ts';
import { RedisSessions } from './redis-sessions.ts';
import { RedisStore } from './redis-store.ts';

export interface RedisEngineParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly prefix?: string;
  /** A property of the cluster: see `ports/cluster-record.ts`. */
  readonly buckets?: number;
  readonly logger?: Logger;
}

export interface RedisEngine extends Engine {
  /** The op log in the same Redis, over the same connection; the caller closes it. */
  openStore(): InspectableStore;
}

/**
 * Connects to Redis or Valkey and answers the whole backplane. Fails within seconds, and says why:
 * nobody there, wrong password, a server too old or without scripts, a forbidden command.
 */
export async function openRedisEngine(
  address: RedisAddress,
  parts: RedisEngineParts,
): Promise<RedisEngine> {
  const { clock, random, buckets, logger = silentLogger } = parts;
  const keys = new RedisKeys(parts.prefix);
  const connect = (name: string) =>
    new RedisConnection({ address, prefix: keys.prefix, name, clock, random, logger });
  const commands = connect('backplane-commands');
  const subscriber = connect('backplane-subscriber');
  // Before it opens, so that the bus sees every connection from the first.
  const bus = new RedisBus({ commands, subscriber, keys, clock, logger });
  const close = async () => {
    bus.close();
    commands.close();
    subscriber.close();
  };
  let scripts: RedisScripts;
  try {
    await commands.open();
    scripts = new RedisScripts(commands, await checkServer(commands));
    await subscriber.open();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    name: `Redis at ${commands.where}, database ${address.db}`,
    bus,
    sessions: new RedisSessions(commands, scripts, keys, random),
    leases: new RedisLeases(commands, scripts, keys, buckets),
    registry: new RedisRegistry(commands, scripts, keys),
    clusterRecords: new RedisClusterRecords(commands, scripts, keys),
    cacheRecords: new RedisCacheRecords(commands, scripts, keys),
    inspector: new RedisInspector(commands, keys, clock, buckets),
    openStore: () => new RedisStore({ connection: commands, scripts, keys, logger }),
    close,
  };
}

/** Redis 6.0 knows HELLO, but not without arguments. */
function tooOld(error: unknown, connection: RedisConnection): unknown {
  if (!isBackplaneError(error, 'INTERNAL')) return error;
  const message = `the server at ${connection.where} is older than Redis 6.2`;
  return new BackplaneError('SERVER_UNSUPPORTED', message, { cause: error });
}

/** Refuses a server that lacks what we need; answers whether it knows EVAL_RO. */
async function checkServer(connection: RedisConnection): Promise<boolean> {
  // HELLO, not INFO: every user may ask it.
  const reply = new RedisReply('HELLO');
  const hello = connection.call({ verb: 'HELLO', args: [], writes: false });
  const flat = reply.list(await hello.catch((error) => Promise.reject(tooOld(error, connection))));
  const facts = new Map<string, unknown>();
  for (let i = 0; i + 1 < flat.length; i += 2) facts.set(reply.text(flat[i]), flat[i + 1]);
  const version = reply.text(facts.get('version'));
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 2)) {
    const message = `the server at ${connection.where} has version ${version}`;
    throw new BackplaneError('SERVER_UNSUPPORTED', message);
  }
  if (reply.text(facts.get('mode')) !== 'standalone') {
    const message = `the server at ${connection.where} runs in ${facts.get('mode')} mode`;
    throw new BackplaneError('SERVER_UNSUPPORTED', message, {
      remedy: 'use a standalone Redis or Valkey',
    });
  }
  const knowsReadOnly = major >= 7;
  const verb = knowsReadOnly ? 'EVAL_RO' : 'EVAL';
  await connection.call({ verb, args: ['return 1', 0], writes: false });
  return knowsReadOnly;
}
