import { Redis } from 'ioredis';
import type { Interference } from './run-tooth.ts';

/** The last ops of one log are gone, and its head says so: a store that was put back to a moment ago. */
const rewindScript = `
  local entries = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', ARGV[1] + 1)
  local last = entries[#entries]
  local chain = ''
  for i = 1, #last[2], 2 do
    if last[2][i] == 'chain' then chain = last[2][i + 1] end
  end
  for i = 1, #entries - 1 do redis.call('XDEL', KEYS[2], entries[i][1]) end
  redis.call('XSETID', KEYS[2], last[1])
  redis.call('HSET', KEYS[1], 'chain', chain, 'seq', string.match(last[1], '^%d+'))`;

const opsLost = 3;
const lookMs = 20;

/**
 * Puts the log of the first document back under load, as a failover to a replica that lags does. No
 * scenario can: what a store loses by itself cannot be held against those who wrote to it.
 */
export function rewindStore(): Interference {
  let brokerUrl = '';
  return {
    doors: (doors) => ({
      ...doors,
      openEngine: (url) => {
        brokerUrl = url;
        return doors.openEngine(url);
      },
    }),
    watch(drill) {
      const looking = setInterval(async () => {
        const { phase, load } = drill.progress();
        if (phase !== 'breaking' || (load?.acknowledged ?? 0) < 40) return;
        clearInterval(looking);
        await rewind(brokerUrl);
      }, lookMs);
      looking.unref();
    },
  };
}

async function rewind(url: string): Promise<void> {
  const client = new Redis(url);
  try {
    const [head = ''] = await client.keys('*doc:{drill-*-1}:head');
    const log = head.replace(/head$/, 'log');
    await client.eval(rewindScript, 2, head, log, opsLost);
  } finally {
    client.disconnect();
  }
}
