import type { Check, Sight } from '../check.ts';
import { reports } from '../cluster-facts.ts';
import { backplane, redisCli } from '../paste-command.ts';

/** Channels are shared by all databases of a server: a database of one's own parts nothing. */
export const foreignCluster: Check = {
  code: 'FOREIGN-CLUSTER',
  title: 'nobody else speaks on the channels of this cluster',
  why: 'Redis has one set of channels for all its databases. Two clusters with one prefix hear each other; frames of the other are dropped and counted, and who counts receivers is deceived.',
  remedy: 'Give one of the two another --prefix; another database number is not enough.',
  look(evidence) {
    const { broker } = evidence;
    const sights: Sight[] = [];
    const ours = broker?.where.db ?? 0;
    const names = ['backplane-subscriber'];
    const strangers = (broker?.clients ?? []).filter(
      ({ name, db }) => names.includes(name) && db !== ours,
    );
    const databases = [...new Set(strangers.map(({ db }) => db))];
    for (const db of databases) {
      const ids = strangers.filter((each) => each.db === db).map(({ id }) => id);
      sights.push({
        severity: 'warning',
        seen: `${ids.length} nodes or commands use database ${db} of this server, and the same channels if their prefix is the same`,
        mend: [backplane(evidence, 'inspect', 'channels'), ...kill(evidence, ids)],
      });
    }
    for (const { nodeId, report } of reports(evidence)) {
      const foreign = report.metrics.counters.frames_foreign_total ?? 0;
      if (foreign === 0) continue;
      sights.push({
        severity: 'warning',
        seen: `${nodeId} dropped ${foreign} frames of another cluster since it started`,
        mend: [redisCli(evidence, 'CLIENT', 'LIST', 'TYPE', 'pubsub')],
      });
    }
    return sights;
  },
};

function kill(evidence: Parameters<Check['look']>[0], ids: readonly string[]): string[] {
  return ids.slice(0, 5).map((id) => redisCli(evidence, 'CLIENT', 'KILL', 'ID', id));
}
