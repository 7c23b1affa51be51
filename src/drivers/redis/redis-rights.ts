import type { DeniedRight } from '../../ports/examination.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';
import { RedisReply } from './redis-replies.ts';

interface Need {
  readonly words: readonly string[];
  /** Looking needs it, too. */
  readonly toLook: boolean;
}

/** Every command a node sends, itself or within a script, on a key or channel as it would. */
export function commandsNeeded(keys: RedisKeys): readonly Need[] {
  const key = keys.session('diagnosis');
  const channel = keys.channel('inbox:diagnosis');
  const look: string[][] = [
    ['hello'],
    ['ping'],
    ['client', 'setname', 'x'],
    ['time'],
    ['get', key],
    ['hget', key, 'f'],
    ['hmget', key, 'f'],
    ['hgetall', key],
    ['hscan', key, '0'],
    ['pttl', key],
    ['zrange', key, '0', '-1'],
    ['zscore', key, 'm'],
    ['publish', channel, 'x'],
    ['subscribe', channel],
    ['unsubscribe', channel],
    ['pubsub', 'numsub', channel],
    ['pubsub', 'channels', keys.channelPattern],
    ['info', 'server'],
    ['eval_ro', 'return 1', '1', key],
    ['evalsha_ro', 'sha1', '1', key],
  ];
  const act: string[][] = [
    ['eval', 'return 1', '1', key],
    ['evalsha', 'sha1', '1', key],
    ['exists', key],
    ['set', key, 'v'],
    ['del', key],
    ['unlink', key],
    ['hset', key, 'f', 'v'],
    ['hdel', key, 'f'],
    ['pexpire', key, '1'],
    ['zadd', key, '0', 'm'],
    ['zrem', key, 'm'],
    ['zrangebyscore', key, '-inf', '+inf'],
    ['zrangebylex', key, '-', '+'],
    ['xadd', key, '*', 'f', 'v'],
    ['xrange', key, '-', '+'],
  ];
  return [
    ...look.map((words) => ({ words, toLook: true })),
    ...act.map((words) => ({ words, toLook: false })),
  ];
}

/**
 * What a user of Redis is refused of all that a node needs: asked with ACL DRYRUN, which runs
 * nothing. Throws what the server answers when it knows no DRYRUN, or we may not ask.
 */
export async function deniedRights(
  connection: RedisConnection,
  keys: RedisKeys,
  user: string,
): Promise<DeniedRight[]> {
  const reply = new RedisReply('ACL DRYRUN');
  const denied = await Promise.all(
    commandsNeeded(keys).map(async ({ words, toLook }): Promise<DeniedRight | null> => {
      const args = ['DRYRUN', user, ...words];
      const answer = reply.text(await connection.call({ verb: 'ACL', args, writes: false }));
      return answer === 'OK' ? null : { ...ruleFor(words, answer, keys), toLook };
    }),
  );
  const rules = new Map<string, DeniedRight>();
  for (const each of denied) {
    if (each === null) continue;
    const before = rules.get(each.rule);
    rules.set(each.rule, { ...each, toLook: each.toLook || (before?.toLook ?? false) });
  }
  return [...rules.values()];
}

/** The rule that would grant what was refused, by what the server said about it. */
function ruleFor(words: readonly string[], answer: string, keys: RedisKeys) {
  const withSub = ['client', 'pubsub'].includes(words[0] ?? '');
  const verb = withSub ? words.slice(0, 2).join('|') : (words[0] ?? '');
  if (/access the '.*' channel|channel/i.test(answer)) {
    return { what: `channels ${keys.prefix}*`, rule: `&${keys.prefix}*` };
  }
  if (/access the '.*' key|keys? mention|of the keys/i.test(answer)) {
    return { what: `keys ${keys.prefix}*`, rule: `~${keys.prefix}*` };
  }
  return { what: verb.replace('|', ' ').toUpperCase(), rule: `+${verb}` };
}
