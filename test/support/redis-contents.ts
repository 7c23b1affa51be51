import type { RedisServer } from './redis-server.ts';

const script = `
local found = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  found[#found + 1] = key .. ' ' .. redis.sha1hex(redis.call('DUMP', key))
end
return found`;

/** What lives on by itself while nobody does anything: sessions, by their heartbeats. */
const beating = /\{s\}:(sess:|vitals|expiries)/;

/** Every key of a Redis with a hash of its value, apart from heartbeats: equal means untouched. */
export async function contentsOf(server: RedisServer): Promise<string[]> {
  const lines = (await server.cli('EVAL', script, '0')).split('\n').filter(Boolean);
  return lines.filter((line) => !beating.test(line)).sort();
}
