import type { Check, Sight } from '../check.ts';
import { unread } from '../check.ts';
import { storeIsBroker } from '../cluster-facts.ts';
import { redisCli } from '../paste-command.ts';

/** What an acknowledgement is worth when ops are kept in Redis. */
export const persistence: Check = {
  code: 'PERSISTENCE',
  title: 'what is acknowledged outlives a restart of the store',
  why: 'With --store redis: an acknowledged op is as durable as Redis is set up to be. Without an append-only file a restart loses every op since the last snapshot, or all of them.',
  remedy:
    'Turn the append-only file on. With appendfsync everysec a crash of the machine can lose a second; with always, nothing.',
  look(evidence) {
    if (!storeIsBroker(evidence)) return [];
    const { broker } = evidence;
    if (!broker?.settings) return unread(evidence, 'CONFIG GET');
    const { appendOnly, appendSync, save } = broker.settings;
    const sights: Sight[] = [];
    const turnOn = [redisCli(evidence, 'CONFIG', 'SET', 'appendonly', 'yes')];
    if (!appendOnly && save === '') {
      const seen = 'ops are kept in this Redis, and it writes nothing to disk';
      sights.push({ severity: 'critical', seen, mend: turnOn });
    } else if (!appendOnly) {
      const seen = `ops are kept in this Redis, which saves only snapshots (save ${save})`;
      sights.push({ severity: 'warning', seen, mend: turnOn });
    } else if (appendSync === 'no') {
      const mend = [redisCli(evidence, 'CONFIG', 'SET', 'appendfsync', 'everysec')];
      const seen = 'appendfsync is no: what a crash of the machine loses is up to its kernel';
      sights.push({ severity: 'warning', seen, mend });
    }
    if (broker.state && (!broker.state.appendFileOk || !broker.state.lastSaveOk)) {
      sights.push({
        severity: 'critical',
        seen: 'the last write of the append-only file, or the last snapshot, failed',
        mend: [redisCli(evidence, 'INFO', 'persistence'), redisCli(evidence, 'BGSAVE')],
      });
    }
    return sights;
  },
};
