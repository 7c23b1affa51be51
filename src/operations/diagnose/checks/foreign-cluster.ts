import { readChannelName } from '../../../runtime/channels.ts';
import type { Check, Sight } from '../check.ts';
import { reports } from '../cluster-facts.ts';
import type { Evidence } from '../evidence.ts';
import { backplane, redisCli } from '../paste-command.ts';

const drainedAtOnce = 5;

/** Channels are shared by all databases of a server: a database of one's own parts nothing. */
export const foreignCluster: Check = {
  code: 'FOREIGN-CLUSTER',
  title: 'nobody else speaks on the channels of this cluster',
  why: 'Redis has one set of channels for all its databases. Two clusters with one prefix hear each other; frames of the other are dropped and counted, and who counts receivers is deceived.',
  remedy:
    'Stop the nodes that do not belong here, and start them with another --prefix; another database number is not enough.',
  look(evidence) {
    const { broker } = evidence;
    const ours = broker?.where.db ?? 0;
    const strangers = (broker?.clients ?? []).filter(
      ({ name, db }) => name === 'backplane-subscriber' && db !== ours,
    );
    const databases = [...new Set(strangers.map(({ db }) => db))];
    const inboxes = strangeInboxes(evidence);
    // With another prefix, or commands that are gone in a moment, they hear nothing of ours.
    if (databases.length > 0 && inboxes.length > 0) {
      return databases.map((db) => neighbour(evidence, db, databases.length === 1 ? inboxes : []));
    }
    return reports(evidence).flatMap(({ nodeId, report }): Sight[] => {
      const foreign = report.metrics.counters.frames_foreign_total ?? 0;
      if (foreign === 0) return [];
      const seen = `${nodeId} dropped ${foreign} frames of another cluster since it started`;
      // It counts what was; where it can be seen that nobody is there any more, it is history.
      if (broker?.clients) return [{ severity: 'note', seen, mend: [], advice: bygone }];
      const mend = [redisCli(evidence, 'CLIENT', 'LIST', 'TYPE', 'pubsub')];
      return [{ severity: 'warning', seen, mend, advice: apart }];
    });
  },
};

const apart =
  'Start whoever does not belong here again with another --prefix; another database number is not enough.';
const bygone =
  'Nobody of another cluster is connected now. When it comes back, give it another --prefix.';

function neighbour(evidence: Evidence, db: number, sessions: readonly string[]): Sight {
  const there = { ...evidence, target: { ...evidence.target, flags: flagsTo(evidence, db) } };
  const some = sessions.slice(0, drainedAtOnce);
  const count = sessions.length === 0 ? 'nodes' : `${sessions.length} nodes`;
  return {
    severity: 'warning',
    seen: `${count} of database ${db} of this server listen under the prefix of this cluster`,
    mend: [
      backplane(there, 'inspect', 'nodes'),
      ...some.map((session) => backplane(there, 'node', 'drain', session)),
    ],
    advice: apart,
  };
}

/** Inboxes under our prefix, of sessions that this cluster never had. */
function strangeInboxes({ channels, sessions }: Evidence): string[] {
  const known = new Set(sessions.map(({ id }) => id));
  return channels.rows.flatMap(({ channel }) => {
    const { kind, subject } = readChannelName(channel);
    const isNode = kind === 'inbox' && !subject.startsWith('visitor-');
    return isNode && !known.has(subject) ? [subject] : [];
  });
}

/** The same server, another database. Its password, if any, is asked of the environment. */
function flagsTo({ broker, target }: Evidence, db: number): string[] {
  const prefix = target.prefix === 'backplane:' ? [] : ['--prefix', target.prefix];
  const where = broker?.where;
  if (!where) return prefix;
  const user = where.username === null ? '' : `${where.username}@`;
  const host = (where.host ?? 'localhost').replace(/^(.*:.*)$/, '[$1]');
  const url =
    where.path === null
      ? `${where.tls ? 'rediss' : 'redis'}://${user}${host}:${where.port}/${db}`
      : `unix:${where.path}?db=${db}`;
  return ['--url', url, ...prefix];
}
