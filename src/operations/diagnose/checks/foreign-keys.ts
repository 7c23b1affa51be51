import type { Check, Sight } from '../check.ts';
import { unread } from '../check.ts';
import { namesOf } from '../cluster-facts.ts';
import { redisCli } from '../paste-command.ts';

/** Whoever else writes under our prefix may one day write where we do. */
export const foreignKeys: Check = {
  code: 'FOREIGN-KEYS',
  title: 'nobody else keeps keys under the prefix of this cluster',
  why: 'A program that shares the prefix can overwrite a session, a lease or a log; a FLUSH or a cleaning job for it takes ours along.',
  remedy:
    'Move the other program, or this cluster with --prefix. UNLINK removes keys that nobody needs any more.',
  look(evidence) {
    const { broker } = evidence;
    if (!broker?.keys) return unread(evidence, 'foreign keys');
    const { underOurPrefix, otherClusters } = broker.keys;
    const sights: Sight[] = [];
    if (underOurPrefix.length > 0) {
      sights.push({
        severity: 'warning',
        seen: `keys that are none of ours: ${namesOf(underOurPrefix)}`,
        mend: [redisCli(evidence, 'UNLINK', ...underOurPrefix)],
      });
    }
    if (otherClusters.length > 0) {
      sights.push({
        severity: 'note',
        seen: `other clusters live in this database, under ${namesOf(otherClusters)}`,
        mend: [`backplane inspect nodes --prefix ${otherClusters[0]}`],
      });
    }
    return sights;
  },
};
