import { afterAll, beforeAll, expect, test } from 'vitest';
import { RedisKeys } from '../../src/drivers/redis/keys.ts';
import { freshPrefix, RedisEngines } from '../support/redis-engines.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

const engines = new RedisEngines();
let server: RedisServer;

beforeAll(async () => {
  server = await startRedisServer();
});

afterAll(async () => {
  await engines.closeAll();
  await server?.stop();
});

test('a session that somebody else has written over hides no other from the list', async () => {
  const prefix = freshPrefix();
  const { sessions } = await engines.open(server.url, prefix);
  const description = {
    ...{ nodeId: 'web-1', address: null, pid: 1, version: '0.1.0', protocol: 1 },
    ...{ configHash: 'none', startedAt: '2026-01-01T00:00:00.000Z' },
  };
  for (const id of ['good', 'bad']) {
    await sessions.open({ id, token: 'token', ttlMs: 60_000, description });
  }
  await server.cli('HSET', new RedisKeys(prefix).descriptions, 'bad', 'not ours');
  expect((await sessions.list()).map(({ id }) => id)).toEqual(['good']);
  await expect(sessions.read('bad')).rejects.toMatchObject({ code: 'FRAME_INVALID' });
});
