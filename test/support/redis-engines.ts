import { expect } from 'vitest';
import { openRedisEngine, type RedisEngine } from '../../src/drivers/redis/redis-engine.ts';
import { SystemClock } from '../../src/drivers/system/system-clock.ts';
import { SystemRandom } from '../../src/drivers/system/system-random.ts';
import {
  type BackplaneError,
  type ErrorCode,
  isBackplaneError,
} from '../../src/foundation/errors.ts';
import { parseEngineUrl } from '../../src/foundation/url.ts';

const [clock, random] = [new SystemClock(), new SystemRandom()];

/** Opens engines with a prefix of their own each, and closes them all. */
export class RedisEngines {
  readonly #opened: RedisEngine[] = [];

  async open(url: string, prefix = freshPrefix(), buckets?: number): Promise<RedisEngine> {
    const parsed = parseEngineUrl(url);
    if (parsed.kind !== 'redis') throw new Error(`${url} is not a Redis URL`);
    const parts = { clock, random, prefix, ...(buckets && { buckets }) };
    const engine = await openRedisEngine(parsed.address, parts);
    this.#opened.push(engine);
    return engine;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((engine) => engine.close()));
  }
}

export function freshPrefix(): string {
  return `test-${random.token(6)}:`;
}

export async function backplaneFailureOf(call: Promise<unknown>): Promise<BackplaneError> {
  try {
    await call;
  } catch (error) {
    if (isBackplaneError(error)) return error;
    throw error;
  }
  throw new Error('it should have failed');
}

export async function expectCode(call: Promise<unknown>, code: ErrorCode): Promise<BackplaneError> {
  const failure = await backplaneFailureOf(call);
  expect(failure.code, failure.message).toBe(code);
  return failure;
}
